/**
 * IPv6 header and the extension headers that a packet may bring (RFC 8200).
 *    0         4      6      7      8      24     40
 *    |v|tc|flow| len  | next | hops | src  | dst  | extension headers … transport
 */
import { setU16, u8, u16 } from './bytes.ts';
import { FAULTS, type Fault } from './faults.ts';

export const HEADER_LEN = 40;
export const ADDRESS_LEN = 16;
export const MAX_PAYLOAD_LEN = 65_535;
export const OFF_NEXT_HEADER = 6;
export const OFF_SOURCE = 8;
export const OFF_DESTINATION = 24;
const OFF_LENGTH = 4;
const OFF_HOP_LIMIT = 7;

export const NEXT_HOP_BY_HOP = 0;
const NEXT_ROUTING = 43;
export const NEXT_FRAGMENT = 44;
const NEXT_DESTINATION = 60;

/** RFC 8200 section 4.5: next, reserved, offset (13 bits) with two spare bits and M, identification. */
export const FRAGMENT_HEADER_LEN = 8;
const OFF_FRAGMENT_BITS = 2;
const OFF_FRAGMENT_ID = 4;
const MORE_FRAGMENTS = 0x0001;
const FRAGMENT_OFFSET = 0xfff8;

/** RFC 8200 section 4.1 knows six positions; two more than that is still no honest packet. */
const MAX_EXTENSIONS = 8;

/** Options, RFC 8200 section 4.2, RFC 2675 and RFC 6275 section 6.3. */
const OPTION_PAD1 = 0;
const OPTION_JUMBO = 0xc2;
const OPTION_HOME_ADDRESS = 0xc9;

/**
 * 0 when every getter below is safe and the whole packet lies in [at, end). A jumbogram (RFC 2675:
 * length 0 and a hop-by-hop header) is refused: no tunnel record can hold one.
 */
export function check(b: Uint8Array, at: number, end: number): 0 | Fault {
  const fault = checkHeader(b, at, end);
  if (fault !== 0) return fault;
  if (payloadLength(b, at) === 0 && nextHeader(b, at) === NEXT_HOP_BY_HOP) return FAULTS.IP_LENGTH;
  return payloadLength(b, at) > end - at - HEADER_LEN ? FAULTS.IP_LENGTH : 0;
}

/** As `check`, but the packet may be cut after its header, as inside ICMPv6 errors. */
export function checkHeader(b: Uint8Array, at: number, end: number): 0 | Fault {
  if (end - at < HEADER_LEN) return FAULTS.IP_SHORT;
  return u8(b, at) >> 4 === 6 ? 0 : FAULTS.IP_VERSION;
}

/**
 * Walks the extension headers from `from`, where a header of kind `next` begins, up to the first
 * header that is none: a transport, or a real fragment header. Gives `offset << 8 | kind`, the offset
 * counted from `at` (both fit: a packet has less than 2^17 octets), or minus a fault. An atomic
 * fragment (offset 0, no more to come) is a whole packet by RFC 6946: its header is stepped over.
 */
export function walk(b: Uint8Array, at: number, end: number, from: number, next: number): number {
  let kind = next;
  let i = from;
  for (let n = 0; n <= MAX_EXTENSIONS; n++) {
    if (!isExtension(kind)) return ((i - at) << 8) | kind;
    if (end - i < 8) return -FAULTS.IP_EXTENSIONS;
    if (kind === NEXT_FRAGMENT && !isAtomic(b, i)) return ((i - at) << 8) | kind;
    const size = extensionLength(b, i, kind);
    if (size > end - i) return -FAULTS.IP_EXTENSIONS;
    const fault = checkExtension(b, i, i + size, kind);
    if (fault !== 0) return -fault;
    kind = u8(b, i);
    i += size;
  }
  return -FAULTS.IP_EXTENSIONS;
}

/** Whole extension header of kind `kind` in octets, when its first two are there. */
export function extensionLength(b: Uint8Array, extensionAt: number, kind: number): number {
  return kind === NEXT_FRAGMENT ? FRAGMENT_HEADER_LEN : (u8(b, extensionAt + 1) + 1) * 8;
}

/** Offset, counted from the IP header, in an answer of `walk`. */
export function walkedOffset(walked: number): number {
  return walked >> 8;
}

/** Kind of header in an answer of `walk`. */
export function walkedKind(walked: number): number {
  return walked & 0xff;
}

function isExtension(kind: number): boolean {
  return (
    kind === NEXT_HOP_BY_HOP ||
    kind === NEXT_ROUTING ||
    kind === NEXT_DESTINATION ||
    kind === NEXT_FRAGMENT
  );
}

/**
 * Refuses what makes the addresses in the IP header differ from those that the endpoints see, and
 * from those under the transport checksum: a route not yet used up (RFC 8200 section 8.1) and a home
 * address (RFC 6275 section 11.3.1).
 */
function checkExtension(b: Uint8Array, at: number, end: number, kind: number): 0 | Fault {
  if (kind === NEXT_FRAGMENT) return 0;
  if (kind === NEXT_ROUTING) return u8(b, at + 3) === 0 ? 0 : FAULTS.IP_SOURCE_ROUTE;
  let i = at + 2;
  while (i < end) {
    const option = u8(b, i);
    if (option === OPTION_PAD1) {
      i += 1;
      continue;
    }
    if (option === OPTION_JUMBO) return FAULTS.IP_LENGTH;
    if (option === OPTION_HOME_ADDRESS) return FAULTS.IP_SOURCE_ROUTE;
    if (end - i < 2 || u8(b, i + 1) > end - i - 2) return FAULTS.IP_EXTENSIONS;
    i += 2 + u8(b, i + 1);
  }
  return 0;
}

function isAtomic(b: Uint8Array, fragmentAt: number): boolean {
  return (u16(b, fragmentAt + OFF_FRAGMENT_BITS) & (FRAGMENT_OFFSET | MORE_FRAGMENTS)) === 0;
}

/** In octets; `fragmentAt` is the offset of the fragment header, here and in the next two. */
export function fragmentOffset(b: Uint8Array, fragmentAt: number): number {
  return u16(b, fragmentAt + OFF_FRAGMENT_BITS) & FRAGMENT_OFFSET;
}

export function moreFragments(b: Uint8Array, fragmentAt: number): boolean {
  return (u16(b, fragmentAt + OFF_FRAGMENT_BITS) & MORE_FRAGMENTS) !== 0;
}

/** Octet offset of the identification, 4 octets. */
export function fragmentIdAt(fragmentAt: number): number {
  return fragmentAt + OFF_FRAGMENT_ID;
}

/** DSCP (upper 6 bits) and ECN (lower 2). */
export function trafficClass(b: Uint8Array, at: number): number {
  return (u16(b, at) >> 4) & 0xff;
}

export function payloadLength(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_LENGTH);
}
export function setPayloadLength(b: Uint8Array, at: number, v: number): void {
  setU16(b, at + OFF_LENGTH, v);
}

export function nextHeader(b: Uint8Array, at: number): number {
  return u8(b, at + OFF_NEXT_HEADER);
}

export function hopLimit(b: Uint8Array, at: number): number {
  return u8(b, at + OFF_HOP_LIMIT);
}
