/**
 * RTP header, RFC 3550 section 5.1. Every function takes the buffer and the offset of the header.
 *    0        1        2      4      8      12
 *    |v|p|x|cc| m | pt | seq  | time | ssrc | csrc … | extension … | payload … | padding
 */
import { u8, u16, u32 } from './bytes.ts';
import { FAULTS, type Fault } from './faults.ts';

export const MIN_HEADER_LEN = 12;
const VERSION = 2;
const PADDING_BIT = 0x20;
const EXTENSION_BIT = 0x10;
const MARKER_BIT = 0x80;
/** Profile word and length word of an extension (section 5.3.1). */
const EXTENSION_HEADER_LEN = 4;

/**
 * 0 when every getter below is safe on [at, end) and the payload begins inside it. The padding is not
 * looked at: in SRTP its count is encrypted with the payload.
 */
export function check(b: Uint8Array, at: number, end: number): 0 | Fault {
  if (end - at < MIN_HEADER_LEN) return FAULTS.RTP_SHORT;
  if (u8(b, at) >> 6 !== VERSION) return FAULTS.RTP_VERSION;
  const fixed = MIN_HEADER_LEN + 4 * csrcCount(b, at);
  const least = hasExtension(b, at) ? fixed + EXTENSION_HEADER_LEN : fixed;
  if (least > end - at) return FAULTS.RTP_LENGTH;
  return headerLength(b, at) > end - at ? FAULTS.RTP_LENGTH : 0;
}

export function hasPadding(b: Uint8Array, at: number): boolean {
  return (u8(b, at) & PADDING_BIT) !== 0;
}

export function hasExtension(b: Uint8Array, at: number): boolean {
  return (u8(b, at) & EXTENSION_BIT) !== 0;
}

export function csrcCount(b: Uint8Array, at: number): number {
  return u8(b, at) & 0x0f;
}

export function marker(b: Uint8Array, at: number): boolean {
  return (u8(b, at + 1) & MARKER_BIT) !== 0;
}

export function payloadType(b: Uint8Array, at: number): number {
  return u8(b, at + 1) & 0x7f;
}

export function sequenceNumber(b: Uint8Array, at: number): number {
  return u16(b, at + 2);
}

/** In ticks of the payload type's clock. */
export function timestamp(b: Uint8Array, at: number): number {
  return u32(b, at + 4);
}

export function ssrc(b: Uint8Array, at: number): number {
  return u32(b, at + 8);
}

/** Fixed part, sources and extension: the payload starts at `at` plus this. */
export function headerLength(b: Uint8Array, at: number): number {
  const fixed = MIN_HEADER_LEN + 4 * csrcCount(b, at);
  if (!hasExtension(b, at)) return fixed;
  return fixed + EXTENSION_HEADER_LEN + 4 * u16(b, at + fixed + 2);
}

/**
 * Octets of padding at the end of a packet that is not encrypted; -1 when the count in the last octet
 * is impossible (it counts itself, section 5.1).
 */
export function paddingLength(b: Uint8Array, at: number, end: number): number {
  if (!hasPadding(b, at)) return 0;
  const room = end - at - headerLength(b, at);
  const n = room > 0 ? u8(b, end - 1) : 0;
  return n === 0 || n > room ? -1 : n;
}
