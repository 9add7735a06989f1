/**
 * RTCP packets and their compounds, RFC 3550 section 6.
 *    0        1     2      4      8
 *    |v|p| rc | pt  | len  | ssrc | …      len: 32-bit words after the first
 * A compound is walked with `at += packetLength(b, at)` until `end`.
 */
import { u8, u16, u32 } from './bytes.ts';
import { FAULTS, type Fault } from './faults.ts';

export const HEADER_LEN = 4;
const VERSION = 2;
const PADDING_BIT = 0x20;

/** RFC 3550 section 12.1, RFC 4585 section 6.1, RFC 3611 section 2. */
export const PACKET_TYPES = {
  SR: 200,
  RR: 201,
  SDES: 202,
  BYE: 203,
  APP: 204,
  RTPFB: 205,
  PSFB: 206,
  XR: 207,
} as const;

/**
 * 0 when [at, end) is one or more whole packets and every getter is safe on each. Which kind comes
 * first is not asked: reduced-size RTCP (RFC 5506) is legal. Only the last one may be padded
 * (section 6.4.1). Not for SRTCP, where all after the first 8 octets is encrypted.
 */
export function check(b: Uint8Array, at: number, end: number): 0 | Fault {
  if (end - at < HEADER_LEN) return FAULTS.RTP_SHORT;
  for (let i = at; i < end; i += packetLength(b, i)) {
    if (end - i < HEADER_LEN) return FAULTS.RTP_LENGTH;
    if (u8(b, i) >> 6 !== VERSION) return FAULTS.RTP_VERSION;
    const n = packetLength(b, i);
    if (n > end - i) return FAULTS.RTP_LENGTH;
    if (hasPadding(b, i) && (n !== end - i || !isPaddingPossible(b, i, n)))
      return FAULTS.RTP_LENGTH;
  }
  return 0;
}

export function hasPadding(b: Uint8Array, at: number): boolean {
  return (u8(b, at) & PADDING_BIT) !== 0;
}

/** Report blocks, sources or feedback kind: the low five bits of the first octet. */
export function count(b: Uint8Array, at: number): number {
  return u8(b, at) & 0x1f;
}

export function packetType(b: Uint8Array, at: number): number {
  return u8(b, at + 1);
}

/** Whole packet in octets. */
export function packetLength(b: Uint8Array, at: number): number {
  return 4 * (u16(b, at + 2) + 1);
}

/** Of the sender; only in packets of 8 octets or more (a BYE may have none). */
export function ssrc(b: Uint8Array, at: number): number {
  return u32(b, at + 4);
}

/** The count is a multiple of four and counts itself (section 6.4.1). */
function isPaddingPossible(b: Uint8Array, at: number, length: number): boolean {
  const n = u8(b, at + length - 1);
  return n > 0 && n % 4 === 0 && n <= length - HEADER_LEN;
}
