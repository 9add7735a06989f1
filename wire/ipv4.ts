/**
 * IPv4 header, RFC 791. Every function takes the buffer and the offset of the header.
 *    0      1      2      4      6          8     9       10     12     16     20
 *    |v|ihl | tos  | len  | id   |flags|off | ttl | proto | sum  | src  | dst  | options …
 */
import { setU16, u8, u16 } from './bytes.ts';
import { checksumOf, fold, sumOf } from './checksum.ts';
import { FAULTS, type Fault } from './faults.ts';

export const MIN_HEADER_LEN = 20;
export const MAX_HEADER_LEN = 60;
export const ADDRESS_LEN = 4;
export const MAX_PACKET_LEN = 65_535;
export const OFF_SOURCE = 12;
export const OFF_DESTINATION = 16;
const OFF_TOS = 1;
const OFF_LENGTH = 2;
const OFF_ID = 4;
const OFF_FRAGMENT = 6;
const OFF_TTL = 8;
const OFF_PROTOCOL = 9;
const OFF_CHECKSUM = 10;

const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;

/** Options, RFC 791 section 3.1. */
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_LOOSE_ROUTE = 131;
const OPTION_STRICT_ROUTE = 137;

/**
 * 0 when every getter below is safe and the whole packet lies in [at, end). Octets after the total
 * length are padding of the link and no fault. The header checksum is not looked at: packets of the
 * own host may still be without one.
 */
export function check(b: Uint8Array, at: number, end: number): 0 | Fault {
  const fault = checkHeader(b, at, end);
  if (fault !== 0) return fault;
  return totalLength(b, at) > end - at ? FAULTS.IP_LENGTH : 0;
}

/** As `check`, but the packet may be cut after its header, as inside ICMP errors. */
export function checkHeader(b: Uint8Array, at: number, end: number): 0 | Fault {
  if (end - at < MIN_HEADER_LEN) return FAULTS.IP_SHORT;
  if (u8(b, at) >> 4 !== 4) return FAULTS.IP_VERSION;
  const header = headerLength(b, at);
  if (header < MIN_HEADER_LEN || header > end - at) return FAULTS.IP_LENGTH;
  return totalLength(b, at) < header ? FAULTS.IP_LENGTH : 0;
}

/**
 * Source routes (RFC 791 section 3.1) hide where a packet goes: the destination field then holds only
 * the next stop. Such a packet is refused, as most routers do, also when its route is used up.
 */
export function checkOptions(b: Uint8Array, at: number): 0 | Fault {
  const end = at + headerLength(b, at);
  let i = at + MIN_HEADER_LEN;
  while (i < end && u8(b, i) !== OPTION_END) {
    const kind = u8(b, i);
    if (kind === OPTION_NOP) {
      i += 1;
      continue;
    }
    if (kind === OPTION_LOOSE_ROUTE || kind === OPTION_STRICT_ROUTE) return FAULTS.IP_SOURCE_ROUTE;
    if (end - i < 2 || u8(b, i + 1) < 2 || u8(b, i + 1) > end - i) return FAULTS.IP_LENGTH;
    i += u8(b, i + 1);
  }
  return 0;
}

export function headerLength(b: Uint8Array, at: number): number {
  return (u8(b, at) & 0x0f) * 4;
}

/** DSCP (upper 6 bits) and ECN (lower 2). */
export function trafficClass(b: Uint8Array, at: number): number {
  return u8(b, at + OFF_TOS);
}

export function totalLength(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_LENGTH);
}
export function setTotalLength(b: Uint8Array, at: number, v: number): void {
  setU16(b, at + OFF_LENGTH, v);
}

export function identification(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_ID);
}

/** True for the first, every middle and the last fragment; false for a whole packet. */
export function isFragment(b: Uint8Array, at: number): boolean {
  return (u16(b, at + OFF_FRAGMENT) & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) !== 0;
}

export function moreFragments(b: Uint8Array, at: number): boolean {
  return (u16(b, at + OFF_FRAGMENT) & MORE_FRAGMENTS) !== 0;
}

/** In octets. */
export function fragmentOffset(b: Uint8Array, at: number): number {
  return (u16(b, at + OFF_FRAGMENT) & FRAGMENT_OFFSET) * 8;
}

/** Makes the packet a whole one; the don't-fragment bit stays. */
export function clearFragment(b: Uint8Array, at: number): void {
  setU16(b, at + OFF_FRAGMENT, u16(b, at + OFF_FRAGMENT) & ~(MORE_FRAGMENTS | FRAGMENT_OFFSET));
}

export function ttl(b: Uint8Array, at: number): number {
  return u8(b, at + OFF_TTL);
}

export function protocol(b: Uint8Array, at: number): number {
  return u8(b, at + OFF_PROTOCOL);
}

export function checksum(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_CHECKSUM);
}
export function setChecksum(b: Uint8Array, at: number, v: number): void {
  setU16(b, at + OFF_CHECKSUM, v);
}

/** The checksum that the header ought to carry, whatever stands there now. */
export function computedChecksum(b: Uint8Array, at: number): number {
  const sum = sumOf(b, at, at + headerLength(b, at)) - checksum(b, at);
  return checksumOf(sum);
}

export function checksumRight(b: Uint8Array, at: number): boolean {
  return fold(sumOf(b, at, at + headerLength(b, at))) === 0xffff;
}
