/**
 * First reading of a capture: what in it are the media of a UE? By what the capture itself tells:
 *
 * - session descriptions in SIP, over UDP or TCP on any port, name media endpoints; a flow is media
 *   when an end of it is named (what else a media socket sends, such as ICE, goes with it)
 * - RTP shows by its sequence numbers (rtp-evidence.ts); RTCP counts on the ports next to RTP
 * - MSRP shows by its first line
 * - STUN without a user name from a media socket is a question to a STUN server
 *
 * `--ue` narrows this to the flows of one address; `--media` takes its place: every flow that fits is
 * media.
 */

import type { PacketRecord } from '../../io/pcap/format.ts';
import { DIRECTIONS, linkTypeKnown } from '../../io/pcap/link-types.ts';
import { type Endpoint, formatAddress } from '../../wire/address.ts';
import { u32 } from '../../wire/bytes.ts';
import { isSpecial, KINDS, reach } from '../../wire/disguise.ts';
import { PAYLOADS, type PayloadKind, payloadKind } from '../../wire/multiplex.ts';
import type { PacketView } from '../../wire/packet.ts';
import * as rtcp from '../../wire/rtcp.ts';
import { looksLikeStun } from '../../wire/stun/message.ts';
import * as udp from '../../wire/udp.ts';
import { type Description, Descriptions, endpointKey } from './descriptions.ts';
import { type Flow, Flows, type Side } from './flows.ts';
import { looksLikeSip, readSip, type SipMessage, SipStreams } from './sip-messages.ts';
import { isPlainBindingRequest } from './stun-question.ts';
import { type Given, type Signalling, WhichEnd } from './which-end.ts';
import { WholePackets } from './whole-packets.ts';
import { wrappingOf, wrappingOfFlow } from './wrappings.ts';

export interface MediaFlow {
  readonly protocol: 6 | 17;
  readonly ue: Endpoint;
  readonly media: Endpoint;
}

export interface Found {
  readonly flows: readonly MediaFlow[];
  /** STUN servers that media sockets of the UE asked. */
  readonly stunServers: readonly MediaFlow[];
  readonly descriptions: readonly Description[];
  /** Media flows at addresses that no tunnel carries to, such as multicast. */
  readonly special: number;
  /** What the capture has frames of that are not read: link types, other tunnels. */
  readonly unread: readonly string[];
  /** Flows and descriptions that found no room in the bounded memory. */
  readonly beyondLimit: number;
}

/** MSRP (RFC 4975 7.1): `MSRP transaction-id method` or a status code. */
const MSRP_START = 0x4d535250;
const OFF_SEQUENCE = 4;

export class MediaSearch {
  readonly #given: Given;
  readonly #packets = new WholePackets();
  readonly #flows = new Flows();
  readonly #descriptions = new Descriptions();
  readonly #streams = new SipStreams();
  readonly #signalling = new Map<string, Signalling>();
  readonly #foreignLinkTypes = new Set<number>();
  readonly #wrappings = new Set<string>();
  #offers = 0;

  constructor(given: Given) {
    this.#given = given;
  }

  take(record: PacketRecord, nowMs: number): void {
    const packets = this.#packets;
    if (!packets.read(record, nowMs)) {
      this.#note(record);
      return;
    }
    if (packets.view.isIcmpError) return;
    const { b, view } = packets;
    const flow = this.#flows.of(b, view);
    const side = this.#flows.sender;
    if (this.#flows.fresh && this.#expected(flow)) this.#flows.keep(flow, b, view);
    if (packets.direction === DIRECTIONS.SENT) flow.sent[side] += 1;
    if (packets.direction === DIRECTIONS.RECEIVED) flow.received[side] += 1;
    if (view.payload >= view.payloadEnd) return;
    const sign = view.protocol === udp.PROTOCOL ? this.#seeUdp(flow, side) : this.#seeTcp(flow);
    if (sign) this.#flows.keep(flow, b, view);
  }

  found(): Found {
    const flows = this.#flows.known.filter((flow) => !isSpecialFlow(flow));
    const media = this.#mediaAmong(flows);
    const which = new WhichEnd(this.#given, this.#signalling, media);
    const told = media.map((flow) => asMediaFlow(flow, which)).filter((flow) => flow !== undefined);
    return {
      flows: told,
      stunServers: this.#serversAmong(flows, told),
      descriptions: this.#descriptions.all,
      special: this.#mediaAmong(this.#flows.known.filter(isSpecialFlow)).length,
      unread: this.#unreadAmong(flows),
      beyondLimit: this.#flows.beyondLimit + this.#descriptions.beyondLimit,
    };
  }

  #note({ linkType, b, at, end }: PacketRecord): void {
    if (!linkTypeKnown(linkType)) this.#foreignLinkTypes.add(linkType);
    const wrapping = wrappingOf(linkType, b, at, end);
    if (wrapping !== undefined) this.#wrappings.add(wrapping);
  }

  #unreadAmong(flows: readonly Flow[]): string[] {
    const outside = flows.map(wrappingOfFlow).filter((wrapping) => wrapping !== undefined);
    const linkTypes = [...this.#foreignLinkTypes].map((linkType) => `link type ${linkType}`);
    return [...linkTypes, ...new Set([...this.#wrappings, ...outside])];
  }

  /** Whether a new flow is media by what is known before its first packet. */
  #expected({ ends, protocol }: Flow): boolean {
    const { media } = this.#given;
    if (media !== undefined) return ends.some((end) => media.contains(end));
    return !this.#descriptions.none && ends.some((end) => this.#descriptions.tells(end, protocol));
  }

  /** Looks at a UDP payload; true when it shows a sign of media. */
  #seeUdp(flow: Flow, side: Side): boolean {
    const { b, view } = this.#packets;
    const kind = payloadKind(b, view.payload, view.payloadEnd);
    if (kind === PAYLOADS.RTP) {
      flow.beyondStun = true;
      flow.rtp[side].see(b, view.payload, view.payloadEnd);
      return flow.rtp[side].proven;
    }
    if (kind === PAYLOADS.STUN && looksLikeStun(b, view.payload, view.payloadEnd)) {
      if (isPlainBindingRequest(b, view)) flow.stunClient ??= side;
      return flow.stunClient !== undefined;
    }
    flow.beyondStun = true;
    return this.#seeOther(flow, kind);
  }

  #seeOther(flow: Flow, kind: PayloadKind): boolean {
    const { b, view, snapped } = this.#packets;
    if (kind === PAYLOADS.RTCP) {
      flow.rtcp ||= rtcpBegins(b, view);
      return flow.rtcp;
    }
    if (snapped || !looksLikeSip(b, view.payload, view.payloadEnd)) return false;
    const message = readSip(b, view.payload, view.payloadEnd);
    if (message !== undefined) this.#learn(message);
    return false;
  }

  #seeTcp(flow: Flow): boolean {
    const { b, view, snapped } = this.#packets;
    const { payload, payloadEnd } = view;
    flow.msrp ||= payloadEnd - payload >= 4 && u32(b, payload) === MSRP_START;
    if (flow.msrp || snapped) return flow.msrp;
    const key = `${this.#source()} ${view.sourcePort} ${view.destinationPort}`;
    const sequence = u32(b, view.transport + OFF_SEQUENCE);
    const messages = this.#streams.take(key, sequence, b, payload, payloadEnd);
    for (const message of messages) this.#learn(message);
    return false;
  }

  #learn({ method, sdp }: SipMessage): void {
    if (sdp !== undefined) this.#descriptions.learn(sdp);
    if (method === undefined) return;
    const source = this.#source();
    const known = this.#signalling.get(source);
    const signalling = known ?? { registered: false, firstOffer: Number.POSITIVE_INFINITY };
    if (method === 'REGISTER') signalling.registered = true;
    if (sdp !== undefined) signalling.firstOffer = Math.min(signalling.firstOffer, this.#offers++);
    this.#signalling.set(source, signalling);
  }

  #source(): string {
    const { b, view } = this.#packets;
    return formatAddress(b, view.sourceAt, view.addressLength);
  }

  #mediaAmong(flows: readonly Flow[]): Flow[] {
    const rule = this.#given.media;
    if (rule !== undefined) return flows.filter(({ ends }) => ends.some((e) => rule.contains(e)));
    const main = new Set(flows.filter((flow) => this.#isMedia(flow)));
    const rtp = new Set(
      [...main].flatMap(({ ends, protocol }) => ends.map((e) => endpointKey(e, protocol))),
    );
    const beside = flows.filter((flow) => flow.rtcp && !main.has(flow) && isBeside(flow, rtp));
    return [...main, ...beside];
  }

  #isMedia(flow: Flow): boolean {
    if (flow.msrp || flow.rtp.some(({ proven }) => proven)) return true;
    if (isServerQuestion(flow)) return false;
    return flow.ends.some((end) => this.#descriptions.tells(end, flow.protocol));
  }

  /** Flows to STUN servers that come from a UE's media socket. */
  #serversAmong(flows: readonly Flow[], media: readonly MediaFlow[]): MediaFlow[] {
    const sockets = new Set(media.map(({ ue, protocol }) => endpointKey(ue, protocol)));
    return flows.filter(isServerQuestion).flatMap((flow) => {
      const side = flow.stunClient ?? 0;
      const ue = flow.ends[side];
      const server = { protocol: flow.protocol, ue, media: flow.ends[side === 0 ? 1 : 0] };
      return sockets.has(endpointKey(ue, flow.protocol)) ? [server] : [];
    });
  }
}

function asMediaFlow(flow: Flow, which: WhichEnd): MediaFlow | undefined {
  const side = which.of(flow);
  if (side === undefined) return undefined;
  const [lesser, greater] = flow.ends;
  const [ue, media] = side === 0 ? [lesser, greater] : [greater, lesser];
  return { protocol: flow.protocol, ue, media };
}

function isServerQuestion(flow: Flow): boolean {
  return flow.stunClient !== undefined && !flow.beyondStun;
}

/** The first packet of a compound; the rest may be encrypted (SRTCP). */
function rtcpBegins(b: Uint8Array, { payload, payloadEnd }: PacketView): boolean {
  if (payloadEnd - payload < rtcp.HEADER_LEN) return false;
  return rtcp.packetLength(b, payload) <= payloadEnd - payload;
}

/** Whether both ends are on the ports next above those of a media flow (RFC 3550 section 11). */
function isBeside({ ends, protocol }: Flow, media: ReadonlySet<string>): boolean {
  return ends.every(
    (end) => end.port > 1 && media.has(endpointKey({ ...end, port: end.port - 1 }, protocol)),
  );
}

/**
 * Ends that no media have: port 0, multicast and the like. Loopback and link-local are none of these:
 * TEP-S may be on the gateway's host.
 */
function isSpecialFlow({ ends }: Flow): boolean {
  const behind = new Uint8Array(4);
  return ends.some(({ address, port }) => {
    if (port === 0) return true;
    const kind = reach(address, 0, address.length, behind);
    return isSpecial(kind) && kind !== KINDS.LOOPBACK && kind !== KINDS.LINK_LOCAL;
  });
}
