/**
 * UDP header, RFC 768. Every function takes the buffer and the offset of the header.
 *    0      2      4      6      8
 *    | src  | dst  | len  | sum  | payload …
 */
import { setU16, u16 } from './bytes.ts';
import { FAULTS, type Fault } from './faults.ts';

export const PROTOCOL = 17;
export const HEADER_LEN = 8;
export const OFF_SOURCE_PORT = 0;
export const OFF_DESTINATION_PORT = 2;
export const OFF_CHECKSUM = 6;
const OFF_LENGTH = 4;

/**
 * 0 when every getter below is safe on [at, end). A length field shorter than the IP payload is legal
 * (the octets after it belong to nobody and are carried untouched); a longer one is not.
 */
export function check(b: Uint8Array, at: number, end: number): 0 | Fault {
  if (end - at < HEADER_LEN) return FAULTS.UDP_SHORT;
  const n = length(b, at);
  return n < HEADER_LEN || n > end - at ? FAULTS.UDP_LENGTH : 0;
}

export function srcPort(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_SOURCE_PORT);
}

export function dstPort(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_DESTINATION_PORT);
}

/** Header and payload. */
export function length(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_LENGTH);
}

/** 0 means that there is none: legal over IPv4 only. */
export function checksum(b: Uint8Array, at: number): number {
  return u16(b, at + OFF_CHECKSUM);
}
export function setChecksum(b: Uint8Array, at: number, v: number): void {
  setU16(b, at + OFF_CHECKSUM, v);
}

/** Writes a header whose checksum is still 0. */
export function write(
  b: Uint8Array,
  at: number,
  sourcePort: number,
  destinationPort: number,
  length: number,
): void {
  setU16(b, at + OFF_SOURCE_PORT, sourcePort);
  setU16(b, at + OFF_DESTINATION_PORT, destinationPort);
  setU16(b, at + OFF_LENGTH, length);
  setU16(b, at + OFF_CHECKSUM, 0);
}
