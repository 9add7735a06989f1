/**
 * What the relay of the ng protocol takes from a session description: which m= lines may go through a
 * tunnel (M-03), between which addresses their packets go (M-15), and who may open it (M-10).
 */
import { candidatesOf } from '../../sdp/candidates.ts';
import { endpoint, NO_PORT } from '../../sdp/fields.ts';
import { attribute, attributeValue } from '../../sdp/lines.ts';
import { tepMarks } from '../../sdp/marks.ts';
import { flowOf } from '../../sdp/media.ts';
import { type Media, read, type Sdp } from '../../sdp/read.ts';
import type { Pinhole } from '../../session/pinholes.ts';
import type { SessionCredentials } from '../../session/session-users.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { PROTOCOL as TCP } from '../../wire/tcp.ts';
import { PROTOCOL as UDP } from '../../wire/udp.ts';

/** Of one component, by the candidates. An agent that has more shows its best ones first. */
const MAX_ENDS = 8;
/** Of one call's descriptions together: sixteen m= lines with RTCP and four addresses at each end. */
export const MAX_WAYS = 512;
/** About what they take in memory, in octets. */
const LINE_OCTETS = 200;
const END_OCTETS = 300;

/** An address that media of an m= line use. */
export interface End {
  /** 1: RTP and all that is no RTP; 2: RTCP. */
  readonly component: number;
  readonly protocol: 17 | 6;
  readonly at: Endpoint;
}

export interface MediaLine {
  /** The marks say so: the tunnel may be used here. */
  readonly can: boolean;
  /** Its ways are opened: where it can, and where that is not known any more. */
  readonly opens: boolean;
  /** RTCP is multiplexed, if the other end wants it too. */
  readonly muxes: boolean;
  readonly ends: readonly End[];
  /** Its ICE credentials. */
  readonly ice: Ice | undefined;
}

interface Ice {
  readonly ufrag: string;
  readonly pwd: string;
}

/** By the place of the m= line. */
export type Description = readonly MediaLine[];

/** Undefined where the octets are no session description. */
export function describe(octets: Uint8Array): Description | undefined {
  const sdp = read(octets);
  const marks = tepMarks(octets);
  if (sdp.type === 'sdp-problem' || 'type' in marks) return undefined;
  return sdp.media.map((media, i) => {
    const can = marks[i]?.marked === true;
    const { mux } = flowOf(sdp, media);
    const ends = endsOf(sdp, media);
    return { can, opens: can, muxes: mux !== 'none', ends, ice: iceOf(sdp, media) };
  });
}

/**
 * What the gateway told, less what the other end had said itself. Where a gateway does not stand in between, as
 * with MSRP or with ICE candidates that it leaves in, an end could name any address, and a way to it would open.
 */
export function ofGateway(told: Description, said: Description): Description {
  const foreign = new Set(said.flatMap(({ ends }) => ends.flatMap(textsOf)));
  return told.map((line) => {
    return { ...line, ends: line.ends.filter((end) => !foreign.has(textOf(end))) };
  });
}

/** The port above it is meant for RTCP where nothing else is said (RFC 3550 clause 11). */
function textsOf(end: End): string[] {
  const { at } = end;
  return [textOf(end), textOf({ ...end, at: { ...at, port: at.port + 1 } })];
}

function textOf({ at, protocol }: End): string {
  return `${formatEndpoint(at)} ${protocol}`;
}

/** The ways between a UE and the gateway, by what each of them was told about the other. */
export function waysBetween(ue: Description, gateway: Description): Pinhole[] {
  const ways = ue.flatMap((line, i) => {
    const far = gateway[i];
    return far === undefined || !line.opens ? [] : waysOf(line, far);
  });
  return ways.slice(0, MAX_WAYS);
}

/**
 * Short-term credentials of the session (tep-wire 3; RFC 8445 7.2.2): to the UE the gateway is the peer, whose
 * ufrag comes first and whose pwd it is.
 */
export function usersBetween(ue: Description, gateway: Description): SessionCredentials[] {
  return ue.flatMap(({ opens, ice: own }, i) => {
    const peer = gateway[i]?.ice;
    if (!opens || own === undefined || peer === undefined) return [];
    return [{ name: `${peer.ufrag}:${own.ufrag}`, password: peer.pwd }];
  });
}

function waysOf(line: MediaLine, far: MediaLine): Pinhole[] {
  const muxed = line.muxes && far.muxes;
  const ends = firstOf(line.ends).filter(({ component }) => component === 1 || !muxed);
  const farEnds = firstOf(far.ends);
  return ends.flatMap(({ component, protocol, at: local }) => {
    const others = farEnds.filter((one) => {
      const isSameKind = one.component === component && one.protocol === protocol;
      return isSameKind && one.at.family === local.family;
    });
    return others.map(({ at: remote }) => ({ local, remote, protocol }));
  });
}

/** RFC 8839 clause 5.4: media level before session level. */
function iceOf(sdp: Sdp, media: Media): Ice | undefined {
  const value = (name: string) => {
    const line = attribute(media.lines, name) ?? attribute(sdp.sessionLines, name);
    return line === undefined ? '' : (attributeValue(line) ?? '');
  };
  const [ufrag, pwd] = [value('ice-ufrag'), value('ice-pwd')];
  const isLegal = /^[A-Za-z0-9+/]{4,256}$/.test(ufrag) && /^[A-Za-z0-9+/]{22,256}$/.test(pwd);
  return isLegal ? { ufrag, pwd } : undefined;
}

function endsOf(sdp: Sdp, media: Media): End[] {
  if (!media.live) return [];
  const { rtp, rtcp } = flowOf(sdp, media);
  const protocol = media.transport === 'tcp' ? TCP : UDP;
  const ends: End[] = [];
  if (rtp !== undefined) ends.push({ component: 1, protocol, at: rtp });
  if (rtcp !== undefined) ends.push({ component: 2, protocol, at: rtcp });
  for (const { fields } of candidatesOf(media)) {
    const { component, transport, address, port } = fields;
    if (address === undefined) continue;
    const over = transport.startsWith('tcp') ? TCP : UDP;
    ends.push({ component, protocol: over, at: endpoint(address, port) });
  }
  // Port 9 is nowhere: an end that only connects (RFC 4145 clause 4).
  return ends.filter(({ at }) => at.port !== NO_PORT);
}

/** What is worth remembering: more than that opens nothing. */
export function bestEnds(description: Description): Description {
  return description.map((line) => ({ ...line, ends: firstOf(line.ends) }));
}

/** About how many octets of memory it takes. */
export function octetsOf(description: Description): number {
  return description.reduce((sum, { ends, ice }) => {
    const secrets = (ice?.ufrag.length ?? 0) + (ice?.pwd.length ?? 0);
    return sum + LINE_OCTETS + END_OCTETS * ends.length + secrets;
  }, LINE_OCTETS);
}

function firstOf(ends: readonly End[]): End[] {
  return [1, 2].flatMap((component) => {
    const own = ends.filter((end) => end.component === component);
    return [...new Map(own.map((end) => [textOf(end), end])).values()].slice(0, MAX_ENDS);
  });
}
