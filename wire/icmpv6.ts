/**
 * ICMPv6: error messages about a packet (RFC 4443 section 3).
 *    0      1      2      4             8
 *    | type | code | sum  | per type    | as much of the packet meant as fits in 1,280 octets
 * The checksum covers a pseudo header too, unlike that of ICMP for IPv4.
 */
import { u8, u32 } from './bytes.ts';
import { FAULTS, type Fault } from './faults.ts';

export const PROTOCOL = 58;
const HEADER_LEN = 8;
const OFF_MTU = 4;

export const TYPE_UNREACHABLE = 1;
export const TYPE_PACKET_TOO_BIG = 2;
export const TYPE_TIME_EXCEEDED = 3;
export const TYPE_PARAMETER_PROBLEM = 4;
export const CODE_PROHIBITED = 1;

/** 0 when this is an error about a packet that starts at HEADER_LEN. */
export function check(b: Uint8Array, at: number, end: number): 0 | Fault {
  if (end - at < HEADER_LEN) return FAULTS.ICMP_SHORT;
  const t = type(b, at);
  return t >= TYPE_UNREACHABLE && t <= TYPE_PARAMETER_PROBLEM ? 0 : FAULTS.ICMP_TYPE;
}

export function type(b: Uint8Array, at: number): number {
  return u8(b, at);
}

export function code(b: Uint8Array, at: number): number {
  return u8(b, at + 1);
}

/** MTU of "packet too big". */
export function mtu(b: Uint8Array, at: number): number {
  return u32(b, at + OFF_MTU);
}
