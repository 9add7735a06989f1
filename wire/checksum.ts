/**
 * The Internet checksum (RFC 1071): one's complement of the one's complement sum of 16-bit words,
 * and its incremental update (RFC 1624).
 *
 * Three kinds of number appear here. A *sum* is unfolded and below 2^32: sums may be added to each
 * other. A *folded* sum has 16 bits. A *checksum* is the complement of a folded sum: what stands in a
 * header. Words begin at even offsets from the start of what is summed; every field that a rewrite
 * changes lies at an even offset, so the deltas of several fields may be added.
 */
import { setU16, u8, u16 } from './bytes.ts';

/** Below this an ordinary loop is as fast as one over a second view. */
const LONG = 64;

/** The buffer that was summed over last, kept alive by this; its view is made when the same one comes again. */
let last: Uint8Array = new Uint8Array(0);
let lastWords: DataView | undefined;

/** Sum over [at, end); an odd last octet is the upper half of its word (RFC 1071 section 4.1). */
export function sumOf(b: Uint8Array, at: number, end: number): number {
  if (end - at < LONG) return sumOfShort(b, at, end);
  if (b !== last) {
    last = b;
    lastWords = undefined;
    return sumOfShort(b, at, end);
  }
  lastWords ??= new DataView(b.buffer, b.byteOffset, b.byteLength);
  const whole = at + ((end - at) & ~7);
  return sumOfWords(lastWords, at, whole) + sumOfShort(b, whole, end);
}

/** 32 bits at a time: half the time for a packet of 200 octets. A whole number of 8 octets. */
function sumOfWords(words: DataView, at: number, end: number): number {
  let sum = 0;
  for (let i = at; i < end; i += 8) {
    const one = words.getInt32(i);
    const two = words.getInt32(i + 4);
    sum += (one >>> 16) + (one & 0xffff) + (two >>> 16) + (two & 0xffff);
  }
  return sum;
}

function sumOfShort(b: Uint8Array, at: number, end: number): number {
  let sum = 0;
  let i = at;
  for (; i + 8 <= end; i += 8) sum += sumOfEight(b, i);
  for (; i + 2 <= end; i += 2) sum += u16(b, i);
  return i < end ? sum + (u8(b, i) << 8) : sum;
}

/** Of eight octets: what headers consist of is summed in half the time without a loop. */
export function sumOfEight(b: Uint8Array, at: number): number {
  return u16(b, at) + u16(b, at + 2) + u16(b, at + 4) + u16(b, at + 6);
}

/**
 * Sum over the pseudo header of UDP (RFC 768), TCP (RFC 9293 section 3.1) and, for IPv6, ICMPv6
 * (RFC 8200 section 8.1). Both IP versions keep source and destination side by side from
 * `addressesAt` on, and zero octets add nothing: so one function serves both.
 */
export function pseudoHeaderSum(
  b: Uint8Array,
  addressesAt: number,
  addressLength: number,
  protocol: number,
  length: number,
): number {
  const addresses = sumOf(b, addressesAt, addressesAt + 2 * addressLength);
  return addresses + protocol + length;
}

/** The 16 bits with the carries brought round. Two rounds are enough for any sum below 2^32. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

export function checksumOf(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/** What replacing a 16-bit word adds to a sum: ~m + m' of RFC 1624 equation 3. */
export function wordDelta(before: number, after: number): number {
  return (~before & 0xffff) + after;
}

/** Writes `n` (even) octets over those at `at`; gives what that adds to every sum over them. */
export function replace(
  b: Uint8Array,
  at: number,
  from: Uint8Array,
  fromAt: number,
  n: number,
): number {
  let delta = 0;
  for (let i = 0; i < n; i += 2) {
    const after = u16(from, fromAt + i);
    delta += wordDelta(u16(b, at + i), after);
    setU16(b, at + i, after);
  }
  return delta;
}

/**
 * The checksum after the data under it changed by `delta`: HC' = ~(~HC + ~m + m'), RFC 1624
 * equation 3. Equation 4 of the same RFC can give FFFF where only 0000 is right; this one cannot.
 */
export function update(checksum: number, delta: number): number {
  return checksumOf((~checksum & 0xffff) + delta);
}

/** A computed UDP checksum of zero is sent as FFFF, because zero means "none" (RFC 768). */
export function udpWire(checksum: number): number {
  return checksum === 0 ? 0xffff : checksum;
}
