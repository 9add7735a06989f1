/**
 * ICMP for IPv4: error messages about a packet (RFC 792, RFC 1191).
 *    0      1      2      4             8
 *    | type | code | sum  | per type    | IP header and at least 8 octets of the packet meant
 * The checksum covers the message alone: ICMP for IPv4 has no pseudo header.
 */
import { u8, u16 } from './bytes.ts';
import { FAULTS, type Fault } from './faults.ts';

export const PROTOCOL = 1;
export const HEADER_LEN = 8;
export const OFF_CHECKSUM = 2;
const OFF_MTU = 6;

export const TYPE_UNREACHABLE = 3;
export const TYPE_TIME_EXCEEDED = 11;
export const TYPE_PARAMETER_PROBLEM = 12;
export const CODE_FRAGMENTATION_NEEDED = 4;
/** RFC 1812 section 5.2.7.1. */
export const CODE_PROHIBITED = 13;

/**
 * 0 when this is an error about a packet that starts at HEADER_LEN. Source quench is dead (RFC 6633)
 * and a redirect must not cross an address translation (RFC 5508 section 7.2): refused with the rest.
 */
export function check(b: Uint8Array, at: number, end: number): 0 | Fault {
  if (end - at < HEADER_LEN) return FAULTS.ICMP_SHORT;
  const t = type(b, at);
  return t === TYPE_UNREACHABLE || t === TYPE_TIME_EXCEEDED || t === TYPE_PARAMETER_PROBLEM
    ? 0
    : FAULTS.ICMP_TYPE;
}

export function type(b: Uint8Array, at: number): number {
  return u8(b, at);
}

export function code(b: Uint8Array, at: number): number {
  return u8(b, at + 1);
}

/** Next-hop MTU of "fragmentation needed" (RFC 1191); 0 from a router older than that. */
export function mtu(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_MTU);
}
