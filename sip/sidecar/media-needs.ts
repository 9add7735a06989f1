/**
 * What the media of a description need so that they can go through the tunnel: public addresses for what
 * the phone told (bindings), and on the phone's machine sockets that stand for what the core told, where
 * packets are not taken off the routes.
 */
import { NO_PORT } from '../../sdp/fields.ts';
import { flowOf, type MediaKind, mediaKind } from '../../sdp/media.ts';
import { read, type Transport } from '../../sdp/read.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { PROTOCOL as TCP } from '../../wire/tcp.ts';
import { PROTOCOL as UDP } from '../../wire/udp.ts';

/** Where the media of one m= line go. */
export interface MediaLine {
  /** Place of the m= line, from 0. */
  readonly media: number;
  readonly transport: Transport;
  readonly carries: MediaKind | undefined;
  /** Undefined for port 0, hold by 0.0.0.0, names and multicast. */
  readonly rtp: Endpoint | undefined;
  readonly rtcp: Endpoint | undefined;
}

/** None when the description cannot be read: it passes as it is. */
export function mediaLinesOf(description: Uint8Array): readonly MediaLine[] {
  const sdp = read(description);
  if (sdp.type === 'sdp-problem') return [];
  return sdp.media.map((one) => {
    const { rtp, rtcp } = flowOf(sdp, one);
    const carries = mediaKind(sdp, one);
    return { media: one.index, transport: one.transport, carries, rtp, rtcp };
  });
}

export interface BindNeed {
  readonly type: 'bind';
  readonly key: string;
  readonly ue: Endpoint;
  readonly protocol: typeof UDP | typeof TCP;
  /** With the port above it, for RTCP. */
  readonly pair: boolean;
  /** Undefined: nobody said, or not everybody the same. */
  readonly carries: MediaKind | undefined;
}

export interface StandInNeed {
  readonly type: 'stand-in';
  readonly key: string;
  readonly rtp: Endpoint;
  readonly rtcp: Endpoint | undefined;
}

export type Need = BindNeed | StandInNeed;

export function bindNeeds({ rtp, rtcp, transport, carries }: MediaLine): BindNeed[] {
  // Port 9: an end that only connects has nothing that could be bound (RFC 4145).
  if (rtp === undefined || rtp.port === NO_PORT) return [];
  const protocol = transport === 'tcp' ? TCP : UDP;
  const pair = rtp.port % 2 === 0 && rtcp !== undefined && isNext(rtcp, rtp);
  const needs = [bindNeed(rtp, protocol, pair, carries)];
  if (rtcp !== undefined && !pair) needs.push(bindNeed(rtcp, protocol, false, carries));
  return needs;
}

/** Sockets carry UDP only. */
export function standInNeeds({ rtp, rtcp, transport }: MediaLine): StandInNeed[] {
  if (rtp === undefined || transport !== 'udp') return [];
  return [{ type: 'stand-in', key: `for ${formatEndpoint(rtp)}`, rtp, rtcp }];
}

function bindNeed(
  ue: Endpoint,
  protocol: BindNeed['protocol'],
  pair: boolean,
  carries: MediaKind | undefined,
): BindNeed {
  return { type: 'bind', key: bindKey(ue, protocol), ue, protocol, pair, carries };
}

/** What is needed when somebody needs `more` of the same key; `need` itself where that changes nothing. */
export function both(need: Need, more: Need): Need {
  if (need.type !== 'bind' || more.type !== 'bind') return need;
  const isSame = need.carries === undefined || need.carries === more.carries;
  return isSame ? need : { ...need, carries: undefined };
}

export function bindKey(ue: Endpoint, protocol: number): string {
  return `${protocol} ${formatEndpoint(ue)}`;
}

function isNext(rtcp: Endpoint, rtp: Endpoint): boolean {
  return formatEndpoint(rtcp) === formatEndpoint({ ...rtp, port: rtp.port + 1 });
}
