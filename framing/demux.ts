/**
 * What does this connection speak? One port serves them all (tep-wire 1), and the first
 * octets decide:
 *
 *    16 03          TLS ClientHello             decide again inside
 *    43 4F 4E …     CONNECT                     answer it, decide again behind it
 *    47 45 54 …     other HTTP; SIP; CRLF
 *    00|01          STUN: Allocate or ConnectionBind make it a TURN connection, others leave it open
 *    00-05          STUN behind the 16-bit length of RFC 4571
 *    01 00          TPKT' (RFC 983)             03 00 TPKT version 3: refused
 *    10             TSCF control message
 *    45-4F, 60-6F   inner IP: whether it may come first is the caller's policy
 *
 * First octets collide: `G H I L M N O` are IPv4 with options, TURN channels look like IPv4 and IPv6.
 * So a rule is believed only when what it looks at fits, and TURN channels only on a connection that
 * is known to be TURN. A text method is believed before an IPv4 header of the same letters: the
 * shortest HTTP request is shorter than the header whose checksum would have to be awaited.
 *
 * The answer depends on nothing behind the first MAX_LOOK_AHEAD octets, and not on how they were cut.
 */
import { Buffer } from 'node:buffer';
import { u8, u16, u32 } from '../wire/bytes.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import * as ipv6 from '../wire/ipv6.ts';
import { MAX_STUN_LEN, HEADER_LEN as STUN_HEADER_LEN } from '../wire/stun/message.ts';
import { MAGIC_COOKIE, METHODS } from '../wire/stun/registry.ts';
import { innerIp } from './inner-ip/inner-ip.ts';

export type Speech =
  | 'tls'
  | 'connect'
  | 'http'
  | 'sip'
  /** A SIP keep-alive, or an empty line before a request: skip two octets and decide again. */
  | 'crlf'
  /** Bare STUN that binds the connection to nothing yet. */
  | 'stun'
  | 'stun-rfc4571'
  | 'turn'
  | 'inner-ip'
  | 'tscf'
  | 'tpkt';

export interface DemuxState {
  /** The octets come out of a TLS connection, in which no second one may begin. */
  readonly insideTls: boolean;
  /** An Allocate or ConnectionBind succeeded here: all that follows is TURN (RFC 8656 clause 12). */
  readonly turn: boolean;
}

/** With so many octets in sight the answer is never 'need-more'. */
export const MAX_LOOK_AHEAD = innerIp.maxHeader;

type Verdict = 'yes' | 'no' | 'maybe';
type Rule = readonly [
  answer: Speech | Fault,
  judge: (b: Uint8Array, at: number, end: number) => Verdict,
];

const MIN_TPKT_LEN = 8;
const OFF_TPKT_LENGTH = 2;

/** UDP, TCP, ICMPv6, extension headers and "none" (RFC 8200 clauses 4 and 4.7). */
const IPV6_NEXT_HEADERS: ReadonlySet<number> = new Set([0, 6, 17, 43, 44, 58, 59, 60]);

const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PRI'];
const SIP_METHODS = [
  ...['INVITE', 'ACK', 'BYE', 'CANCEL', 'REGISTER', 'PRACK', 'UPDATE', 'INFO', 'REFER', 'MESSAGE'],
  ...['SUBSCRIBE', 'NOTIFY', 'PUBLISH'],
];

/** In the order of belief: the first rule that is not refuted decides, or asks for more. */
const RULES: readonly Rule[] = [
  ['tls', octets(0x16, 0x03)],
  ['connect', text('CONNECT ')],
  ['sip', text('SIP/2.0 ')],
  ['sip', text('OPTIONS sip:')],
  ['sip', text('OPTIONS sips:')],
  ['http', text('OPTIONS ')],
  ...SIP_METHODS.map((method): Rule => ['sip', text(`${method} `)]),
  ...HTTP_METHODS.map((method): Rule => ['http', text(`${method} `)]),
  ['crlf', octets(0x0d, 0x0a)],
  ['turn', looksLikeTurn],
  ['stun', looksLikeStun],
  ['stun-rfc4571', looksLikeFramedStun],
  ['tpkt', looksLikeTpkt],
  [FAULTS.FRAME_FOREIGN, octets(0x03, 0x00)],
  ['tscf', octets(0x10)],
  // RFC 8229: IKE and ESP on TCP, which starts with these letters and is none of ours.
  [FAULTS.FRAME_FOREIGN, text('IKETCP')],
  ['inner-ip', looksLikeIp],
];

/** Looks at [at, end): the start of a connection, or what follows an answer that left it open. */
export function classify(
  b: Uint8Array,
  at: number,
  end: number,
  state: DemuxState,
): Speech | 'need-more' | Fault {
  if (end <= at) return 'need-more';
  if (state.turn) return u8(b, at) < 0x80 ? 'turn' : FAULTS.FRAME_UNKNOWN;
  for (const [answer, judge] of RULES) {
    const verdict = judge(b, at, end);
    if (verdict === 'maybe') return 'need-more';
    if (verdict === 'no') continue;
    return answer === 'tls' && state.insideTls ? FAULTS.FRAME_FOREIGN : answer;
  }
  return FAULTS.FRAME_UNKNOWN;
}

function text(prefix: string): Rule[1] {
  return octets(...Buffer.from(prefix, 'latin1'));
}

function octets(...wanted: readonly number[]): Rule[1] {
  return (b, at, end) => {
    const there = Math.min(wanted.length, end - at);
    for (let i = 0; i < there; i++) if (u8(b, at + i) !== wanted[i]) return 'no';
    return there === wanted.length ? 'yes' : 'maybe';
  };
}

function looksLikeTurn(b: Uint8Array, at: number, end: number): Verdict {
  if (end - at >= 2) {
    // The type of a request is the number of its method, as long as that is below 0x10.
    const type = u16(b, at);
    if (type !== METHODS.ALLOCATE && type !== METHODS.CONNECTION_BIND) return 'no';
  } else if (u8(b, at) !== 0) {
    return 'no';
  }
  return looksLikeStun(b, at, end);
}

function looksLikeStun(b: Uint8Array, at: number, end: number): Verdict {
  return u8(b, at) > 0x01 ? 'no' : ofSize(innerIp.frameSize(b, at, end));
}

/** RFC 4571 clause 2: length 16, then the STUN message, whose own length must say the same. */
function looksLikeFramedStun(b: Uint8Array, at: number, end: number): Verdict {
  const there = end - at;
  if (u8(b, at) > MAX_STUN_LEN >>> 8) return 'no';
  if (there > 2 && u8(b, at + 2) > 0x3f) return 'no';
  const length = there >= 2 ? u16(b, at) - STUN_HEADER_LEN : 0;
  if (length < 0 || length > MAX_STUN_LEN - STUN_HEADER_LEN || length % 4 !== 0) return 'no';
  if (there > 4 && u8(b, at + 4) !== length >>> 8) return 'no';
  if (there > 5 && u8(b, at + 5) !== (length & 0xff)) return 'no';
  if (there >= 10) return u32(b, at + 6) === MAGIC_COOKIE ? 'yes' : 'no';
  for (let i = 6; i < there; i++) {
    if (u8(b, at + i) !== ((MAGIC_COOKIE >>> (8 * (9 - i))) & 0xff)) return 'no';
  }
  return 'maybe';
}

/** RFC 983 clause 6: version 1, reserved 0, a length that covers its own 4 octets and 4 more. */
function looksLikeTpkt(b: Uint8Array, at: number, end: number): Verdict {
  const there = end - at;
  if (u8(b, at) !== 0x01 || (there > 1 && u8(b, at + 1) !== 0x00)) return 'no';
  if (there < OFF_TPKT_LENGTH + 2) return 'maybe';
  return u16(b, at + OFF_TPKT_LENGTH) >= MIN_TPKT_LEN ? 'yes' : 'no';
}

/**
 * IPv4 carries a checksum, IPv6 does not: there the next header must be one that a tunnel carries,
 * which shuts out lower-case text (0x61 to 0x6F).
 */
function looksLikeIp(b: Uint8Array, at: number, end: number): Verdict {
  if (u8(b, at) <= 0x01) return 'no';
  const verdict = ofSize(innerIp.frameSize(b, at, end));
  if (verdict !== 'yes' || u8(b, at) < 0x60) return verdict;
  if (end - at <= ipv6.OFF_NEXT_HEADER) return 'maybe';
  return IPV6_NEXT_HEADERS.has(ipv6.nextHeader(b, at)) ? 'yes' : 'no';
}

function ofSize(size: number): Verdict {
  if (size === 0) return 'maybe';
  return size > 0 ? 'yes' : 'no';
}
