/**
 * TCP header, RFC 9293 section 3.1: the fields that a tunnel looks at.
 *    0      2      4      8      12         14      16     18       20
 *    | src  | dst  | seq  | ack  |off|flags | win   | sum  | urgent | options … payload
 */
import { setU8, setU16, setU32, u8, u16, u32 } from './bytes.ts';
import { FAULTS, type Fault } from './faults.ts';

export const PROTOCOL = 6;
export const MIN_HEADER_LEN = 20;
export const OFF_SOURCE_PORT = 0;
export const OFF_DESTINATION_PORT = 2;
export const OFF_CHECKSUM = 16;
const OFF_SEQUENCE = 4;
const OFF_ACKNOWLEDGEMENT = 8;
const OFF_DATA_OFFSET = 12;
const OFF_FLAGS = 13;

export const FLAGS = { FIN: 0x01, SYN: 0x02, RST: 0x04, ACK: 0x10 } as const;

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

export function sequence(b: Uint8Array, at: number): number {
  return u32(b, at + OFF_SEQUENCE);
}

/** Has a meaning only where ACK is set. */
export function acknowledgement(b: Uint8Array, at: number): number {
  return u32(b, at + OFF_ACKNOWLEDGEMENT);
}

/** See FLAGS. */
export function flags(b: Uint8Array, at: number): number {
  return u8(b, at + OFF_FLAGS);
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

export interface SegmentFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
}

/** Writes a header without options, window 0, whose checksum is still 0. */
export function write(b: Uint8Array, at: number, fields: SegmentFields): void {
  setU16(b, at + OFF_SOURCE_PORT, fields.sourcePort);
  setU16(b, at + OFF_DESTINATION_PORT, fields.destinationPort);
  setU32(b, at + OFF_SEQUENCE, fields.sequence);
  setU32(b, at + OFF_ACKNOWLEDGEMENT, fields.acknowledgement);
  setU8(b, at + OFF_DATA_OFFSET, (MIN_HEADER_LEN / 4) << 4);
  setU8(b, at + OFF_FLAGS, fields.flags);
  setU32(b, at + OFF_FLAGS + 1, 0);
  setU16(b, at + OFF_CHECKSUM + 2, 0);
}
