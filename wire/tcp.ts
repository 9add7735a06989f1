/**
 * TCP header, RFC 9293 section 3.1: the fields that a tunnel looks at.
 *    0      2      4      8      12         14      16     18       20
 *    | src  | dst  | seq  | ack  |off|flags | win   | sum  | urgent | options … payload
 */
import { setU16, u8, u16 } from './bytes.ts';
import { FAULTS, type Fault } from './faults.ts';

export const PROTOCOL = 6;
export const MIN_HEADER_LEN = 20;
export const OFF_SOURCE_PORT = 0;
export const OFF_DESTINATION_PORT = 2;
export const OFF_CHECKSUM = 16;
const OFF_DATA_OFFSET = 12;

/** 0 when every getter below is safe on [at, end) and the payload begins inside it. */
export function check(b: Uint8Array, at: number, end: number): 0 | Fault {
  if (end - at < MIN_HEADER_LEN) return FAULTS.TCP_SHORT;
  const n = headerLength(b, at);
  return n < MIN_HEADER_LEN || n > end - at ? FAULTS.TCP_OFFSET : 0;
}

export function srcPort(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_SOURCE_PORT);
}

export function dstPort(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_DESTINATION_PORT);
}

/** The data offset, in octets. */
export function headerLength(b: Uint8Array, at: number): number {
  return (u8(b, at + OFF_DATA_OFFSET) >> 4) * 4;
}

export function checksum(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_CHECKSUM);
}
export function setChecksum(b: Uint8Array, at: number, v: number): void {
  setU16(b, at + OFF_CHECKSUM, v);
}
