/**
 * The RTP streams that come out of the tunnel, by the number of their binding (PacketSink), from the first
 * packet until the binding ends.
 *
 * Memory: MAX_FLOWS of 5.5 KiB; streams above that are carried and not watched.
 */
import type { Endpoint } from '../wire/address.ts';
import { octetsOf, u8 } from '../wire/bytes.ts';
import * as ipv4 from '../wire/ipv4.ts';
import { PAYLOADS, payloadKind } from '../wire/multiplex.ts';
import { PacketView, readPacket } from '../wire/packet.ts';
import * as rtp from '../wire/rtp.ts';
import { PROTOCOL as UDP, HEADER_LEN as UDP_HEADER_LEN } from '../wire/udp.ts';
import { FlowQuality, type QualityStatus } from './flow-quality.ts';

const MAX_FLOWS = 4_096;
/** Version 4, five words of header. */
const PLAIN_IPV4 = 0x45;
const PLAIN_LEN = ipv4.MIN_HEADER_LEN + UDP_HEADER_LEN;

/** A stream whose binding has ended; `at`: the end of the binding that is ours. */
export interface FlowEnded {
  readonly type: 'flow-ended';
  readonly at: Endpoint;
  readonly quality: QualityStatus;
}

interface Flow {
  readonly at: Endpoint;
  readonly quality: FlowQuality;
}

export class FlowBook {
  readonly #view = new PacketView();
  readonly #ours: 'source' | 'destination';
  /** By binding; their numbers are small. */
  readonly #flows: (Flow | undefined)[] = [];
  #size = 0;

  /** Which address of a packet that leaves the tunnel is that of its binding. */
  constructor(ours: 'source' | 'destination') {
    this.#ours = ours;
  }

  /** A packet at [from, end) that leaves the tunnel. */
  packet(b: Uint8Array, from: number, end: number, binding: number, now: number): void {
    const at = this.#payloadAt(b, from, end);
    if (at < 0 || end - at < rtp.MIN_HEADER_LEN) return;
    if (payloadKind(b, at, end) !== PAYLOADS.RTP) return;
    const flow = this.#flows[binding] ?? this.#begin(b, from, end, binding);
    flow?.quality.packet(b, at, now);
  }

  status(binding: number, roundTripMs: number | undefined, now: number): QualityStatus | undefined {
    return this.#flows[binding]?.quality.status(roundTripMs, now);
  }

  /** The binding has ended: what became of its stream, if one came. */
  end(binding: number, roundTripMs: number | undefined): FlowEnded | undefined {
    const flow = this.#flows[binding];
    if (flow === undefined) return undefined;
    this.#flows[binding] = undefined;
    this.#size -= 1;
    return { type: 'flow-ended', at: flow.at, quality: flow.quality.status(roundTripMs) };
  }

  /** All bindings but these have ended. */
  keep(bindings: ReadonlySet<number>, roundTripMs: number | undefined): readonly FlowEnded[] {
    return this.#flows.flatMap((_, binding) =>
      bindings.has(binding) ? [] : (this.end(binding, roundTripMs) ?? []),
    );
  }

  /** Of a UDP packet; -1 of others. Nearly all are IPv4 without options, and seen to be so at once. */
  #payloadAt(b: Uint8Array, from: number, end: number): number {
    if (end - from >= PLAIN_LEN && u8(b, from) === PLAIN_IPV4) {
      return ipv4.protocol(b, from) === UDP ? from + PLAIN_LEN : -1;
    }
    const view = this.#view;
    return readPacket(view, b, from, end) === 0 && view.protocol === UDP ? view.payload : -1;
  }

  #begin(b: Uint8Array, from: number, end: number, binding: number): Flow | undefined {
    if (this.#size >= MAX_FLOWS || binding < 0) return undefined;
    if (readPacket(this.#view, b, from, end) !== 0) return undefined;
    const { version: family, addressLength, sourceAt, destinationAt } = this.#view;
    const { sourcePort, destinationPort } = this.#view;
    const isSource = this.#ours === 'source';
    const at = isSource ? sourceAt : destinationAt;
    const address = octetsOf(b, at, at + addressLength);
    const port = isSource ? sourcePort : destinationPort;
    const flow = { at: { family, address, port }, quality: new FlowQuality() };
    this.#flows[binding] = flow;
    this.#size += 1;
    return flow;
  }
}
