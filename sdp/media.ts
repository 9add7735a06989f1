/**
 * Where the media of a session description goes: RTP and RTCP addresses per m= line, by c=, m=,
 * a=rtcp (RFC 3605) and a=rtcp-mux (RFC 5761).
 */
import { type Endpoint, MAX_PORT } from '../wire/address.ts';
import {
  type ConnectionFields,
  endpoint,
  isUnicast,
  isUnspecified,
  readConnection,
  readRtcp,
} from './fields.ts';
import { attribute, type Line, type SdpInput, type SdpProblem } from './lines.ts';
import {
  type Codec,
  isRtp,
  type Media,
  read,
  readDetails,
  type Sdp,
  type Transport,
} from './read.ts';

/** `offered` in an answer means agreed; `only`: there is no RTCP port of its own (RFC 8858). */
export type Mux = 'none' | 'offered' | 'only';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface MediaAddress {
  /** Place of the m= line, from 0. */
  readonly media: number;
  /** Number of the m= line in the text, from 1. */
  readonly line: number;
  readonly kind: string;
  /** As the m= line has it: `RTP/AVP`. */
  readonly protocol: string;
  readonly transport: Transport;
  /** False for port 0. */
  readonly live: boolean;
  readonly count: number;
  /** Connection address as written; it may be a name. */
  readonly host: string | undefined;
  /** Media, or RTP. Undefined for port 0, hold by 0.0.0.0, names and multicast. */
  readonly rtp: Endpoint | undefined;
  /** Undefined where there is none: not RTP, or multiplexing only. */
  readonly rtcp: Endpoint | undefined;
  readonly mux: Mux;
  /** On hold in the way of RFC 2543: the connection address is 0.0.0.0 or ::. */
  readonly hold: boolean;
  readonly direction: Direction;
  readonly mid: string | undefined;
  /** Tags of the BUNDLE group that this m= line is in. */
  readonly bundle: readonly string[] | undefined;
  readonly codecs: ReadonlyMap<number, Codec>;
}

export function mediaAddresses(input: SdpInput): readonly MediaAddress[] | SdpProblem {
  const sdp = read(input);
  if (sdp.type === 'sdp-problem') return sdp;
  const details = readDetails(sdp);
  return sdp.media.map((m, i) => {
    const flow = flowOf(sdp, m);
    const mid = details.media[i]?.mid;
    return {
      media: i,
      line: m.line.number,
      kind: m.kind,
      protocol: m.protocol,
      transport: m.transport,
      live: m.live,
      count: m.count,
      host: flow.connection?.fields.host,
      rtp: flow.rtp,
      rtcp: flow.rtcp,
      mux: flow.mux,
      hold: flow.hold,
      direction: directionOf(sdp, m),
      mid,
      bundle: details.bundles.find((tags) => mid !== undefined && tags.includes(mid)),
      codecs: details.media[i]?.codecs ?? new Map(),
    };
  });
}

export interface Connection {
  readonly line: Line;
  readonly fields: ConnectionFields;
  readonly level: 'session' | 'media';
}

/** What packets of RTP at an address are. */
export type MediaKind = 'audio' | 'video' | 'other';

const KINDS: ReadonlyMap<string, MediaKind> = new Map([
  ['audio', 'audio'],
  ['video', 'video'],
  ['application', 'other'],
  ['message', 'other'],
]);

/** Undefined where it does not say, or several kinds may come to share one address (RFC 9143). */
export function mediaKind(sdp: Sdp, m: Media): MediaKind | undefined {
  const isBundled = sdp.sessionLines.some(({ text }) => text.startsWith('a=group:BUNDLE'));
  return isBundled ? undefined : KINDS.get(m.kind);
}

/** The addresses of one m= line, without what is only looked at. */
export interface Flow {
  readonly connection: Connection | undefined;
  readonly hold: boolean;
  readonly mux: Mux;
  readonly rtp: Endpoint | undefined;
  readonly rtcp: Endpoint | undefined;
}

export function flowOf(sdp: Sdp, m: Media): Flow {
  const connection = connectionOf(m.lines, 'media') ?? connectionOf(sdp.sessionLines, 'session');
  const address = connection?.fields.address;
  const hold = address !== undefined && isUnspecified(address);
  const mux = muxOf(m);
  const usable = address !== undefined && isUnicast(address) && m.live;
  const rtp = usable ? endpoint(address, m.port) : undefined;
  return { connection, hold, mux, rtp, rtcp: m.live ? rtcpOf(m, mux, rtp) : undefined };
}

function rtcpOf(m: Media, mux: Mux, rtp: Endpoint | undefined): Endpoint | undefined {
  if (!isRtp(m) || mux === 'only') return undefined;
  const line = attribute(m.lines, 'rtcp');
  const fields = line === undefined ? undefined : readRtcp(line.text);
  if (fields === undefined) {
    return rtp === undefined || rtp.port >= MAX_PORT ? undefined : endpoint(rtp, rtp.port + 1);
  }
  const address = fields.host === undefined ? rtp : fields.address;
  const usable = address !== undefined && isUnicast(address) && fields.port !== 0;
  return usable ? endpoint(address, fields.port) : undefined;
}

function connectionOf(lines: readonly Line[], level: Connection['level']): Connection | undefined {
  const line = lines.find((one) => one.type === 'c');
  const fields = line === undefined ? undefined : readConnection(line.text);
  return line === undefined || fields === undefined ? undefined : { line, fields, level };
}

function muxOf(m: Media): Mux {
  if (attribute(m.lines, 'rtcp-mux-only') !== undefined) return 'only';
  return attribute(m.lines, 'rtcp-mux') === undefined ? 'none' : 'offered';
}

const DIRECTIONS: ReadonlySet<string> = new Set(['sendrecv', 'sendonly', 'recvonly', 'inactive']);

function directionOf(sdp: Sdp, m: Media): Direction {
  const own = [...m.lines, ...sdp.sessionLines].find((line) => DIRECTIONS.has(line.name));
  return (own?.name ?? 'sendrecv') as Direction;
}
