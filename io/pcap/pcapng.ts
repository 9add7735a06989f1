/**
 * pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, each with its own interfaces.
 *
 *   block   type(4) total length(4) body … total length again(4)
 *   SHB     byte order magic(4) major(2) minor(2) section length(8) options
 *   IDB     link type(2) reserved(2) snaplen(4) options
 *   EPB     interface(4) time high(4) low(4) captured(4) original(4) octets, padded to 4; options
 *   SPB     original(4) octets; no time, interface 0
 *   PB      interface(2) drops(2) time high(4) low(4) captured(4) original(4) octets; obsolete
 *
 * All other blocks are passed over without being read.
 */
import type { Buffer } from 'node:buffer';
import {
  type CaptureFaultKind,
  type CaptureFormat,
  type FormatFault,
  MAX_CAPTURED_LEN,
  MAX_RECORD_LEN,
  type PacketRecord,
} from './format.ts';
import { type Clock, readClock } from './pcapng-time.ts';

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

const BLOCK_HEADER_LEN = 8;
const TRAILER_LEN = 4;
/** Type, both lengths and the byte order magic. */
const SECTION_START_LEN = 12;
/** Fixed part of each body that is read. */
const BODY_LEN: Readonly<Record<number, number>> = {
  [SECTION_HEADER]: 16,
  [INTERFACE_DESCRIPTION]: 8,
  [PACKET]: 20,
  [SIMPLE_PACKET]: 4,
  [ENHANCED_PACKET]: 20,
};

/** More interfaces than any capture has: a bound on memory. */
const MAX_INTERFACES = 65_536;

interface Interface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly clock: Clock;
}

export function looksLikePcapng(b: Buffer, at: number): boolean {
  return b.readUInt32BE(at) === SECTION_HEADER;
}

export class PcapngFormat implements CaptureFormat {
  fault: FormatFault | undefined;
  #littleEndian = false;
  #interfaces: Interface[] = [];
  /** Total length of a block that was passed over: its trailer must say the same. 0: none. */
  #passedLength = 0;

  get openLength(): number {
    return Math.max(0, this.#passedLength - TRAILER_LEN);
  }

  take(b: Buffer, at: number, end: number, records: PacketRecord[]): number {
    let from = at;
    while (this.fault === undefined) {
      const to =
        this.#passedLength > 0 ? this.#trailer(b, from, end) : this.#block(b, from, end, records);
      if (to === from || to > end) return to;
      from = to;
    }
    return from;
  }

  /** The second length of a block whose body was not read. */
  #trailer(b: Buffer, at: number, end: number): number {
    if (end - at < TRAILER_LEN) return at;
    const again = this.#u32(b, at);
    if (again !== this.#passedLength) return this.#lengthsDiffer(at, this.#passedLength, again);
    this.#passedLength = 0;
    return at + TRAILER_LEN;
  }

  /** One block; gives the offset behind it, or `at` when it is not all there or bad. */
  #block(b: Buffer, at: number, end: number, records: PacketRecord[]): number {
    if (end - at < SECTION_START_LEN) return at;
    const type = b.readUInt32BE(at) === SECTION_HEADER ? SECTION_HEADER : this.#u32(b, at);
    if (type === SECTION_HEADER && !this.#byteOrder(b, at)) return at;
    const total = this.#u32(b, at + 4);
    const least = BLOCK_HEADER_LEN + (BODY_LEN[type] ?? 0) + TRAILER_LEN;
    if (total < least || total % 4 !== 0) {
      return this.#bad('corrupt', at, `a block of type ${type} with length ${total}`);
    }
    if (BODY_LEN[type] === undefined) {
      this.#passedLength = total;
      return at + total - TRAILER_LEN;
    }
    if (total > MAX_RECORD_LEN) {
      const reason = `a block of ${total} octets; no more than ${MAX_RECORD_LEN} are possible`;
      return this.#bad('corrupt', at, reason);
    }
    if (end - at < total) return at;
    const again = this.#u32(b, at + total - TRAILER_LEN);
    if (again !== total) return this.#lengthsDiffer(at, total, again);
    return this.#read(type, b, at, at + total - TRAILER_LEN, records) ? at + total : at;
  }

  /** Reads a whole block whose body ends at `end`; false when it is bad. */
  #read(type: number, b: Buffer, at: number, end: number, records: PacketRecord[]): boolean {
    const body = at + BLOCK_HEADER_LEN;
    switch (type) {
      case SECTION_HEADER:
        return this.#section(b, at, body);
      case INTERFACE_DESCRIPTION:
        return this.#interface(b, at, body, end);
      case SIMPLE_PACKET:
        return this.#simplePacket(b, at, end, records);
      case ENHANCED_PACKET:
        return this.#packet(this.#u32(b, body), b, at, end, records);
      default:
        return this.#packet(this.#u16(b, body), b, at, end, records);
    }
  }

  /** The byte order magic says how to read everything in this section, the length before it too. */
  #byteOrder(b: Buffer, at: number): boolean {
    const magicAt = at + BLOCK_HEADER_LEN;
    this.#littleEndian = b.readUInt32LE(magicAt) === BYTE_ORDER_MAGIC;
    if (this.#littleEndian || b.readUInt32BE(magicAt) === BYTE_ORDER_MAGIC) return true;
    this.#bad('corrupt', at, 'a section without a byte order magic');
    return false;
  }

  #section(b: Buffer, at: number, body: number): boolean {
    const major = this.#u16(b, body + 4);
    if (major !== 1) {
      this.#bad('unsupported', at, `pcapng version ${major}, not 1`);
      return false;
    }
    this.#interfaces = [];
    return true;
  }

  #interface(b: Buffer, at: number, body: number, end: number): boolean {
    if (this.#interfaces.length === MAX_INTERFACES) {
      this.#bad('corrupt', at, `more than ${MAX_INTERFACES} interfaces`);
      return false;
    }
    const optionsAt = body + (BODY_LEN[INTERFACE_DESCRIPTION] ?? 0);
    this.#interfaces.push({
      linkType: this.#u16(b, body),
      snapLength: this.#u32(b, body + 4),
      clock: readClock(b, optionsAt, end, this.#littleEndian),
    });
    return true;
  }

  /** Enhanced packet and obsolete packet: they differ only in the width of the interface number. */
  #packet(index: number, b: Buffer, at: number, end: number, records: PacketRecord[]): boolean {
    const body = at + BLOCK_HEADER_LEN;
    const from = this.#interfaces[index];
    if (from === undefined) return this.#unknownInterface(at, index);
    const captured = this.#u32(b, body + 12);
    const octetsAt = body + 20;
    if (captured > end - octetsAt || captured > MAX_CAPTURED_LEN) {
      this.#bad(
        'corrupt',
        at,
        `a packet of ${captured} octets in a block of ${end - at + TRAILER_LEN}`,
      );
      return false;
    }
    const { seconds, nanoseconds } = from.clock.read(
      this.#u32(b, body + 4),
      this.#u32(b, body + 8),
    );
    records.push({
      seconds,
      nanoseconds,
      linkType: from.linkType,
      originalLength: this.#u32(b, body + 16),
      b,
      at: octetsAt,
      end: octetsAt + captured,
    });
    return true;
  }

  /** A packet without a time: its length is the least of original, snaplen and what the block holds. */
  #simplePacket(b: Buffer, at: number, end: number, records: PacketRecord[]): boolean {
    const from = this.#interfaces[0];
    if (from === undefined) return this.#unknownInterface(at, 0);
    const originalLength = this.#u32(b, at + BLOCK_HEADER_LEN);
    const octetsAt = at + BLOCK_HEADER_LEN + 4;
    const snap = from.snapLength === 0 ? MAX_CAPTURED_LEN : from.snapLength;
    const captured = Math.min(originalLength, snap, end - octetsAt);
    records.push({
      seconds: 0,
      nanoseconds: 0,
      linkType: from.linkType,
      originalLength,
      b,
      at: octetsAt,
      end: octetsAt + captured,
    });
    return true;
  }

  #unknownInterface(at: number, index: number): false {
    this.#bad('corrupt', at, `a packet of interface ${index}, which was not described`);
    return false;
  }

  #lengthsDiffer(at: number, first: number, second: number): number {
    return this.#bad(
      'corrupt',
      at,
      `a block that begins with length ${first} and ends with ${second}`,
    );
  }

  #bad(kind: CaptureFaultKind, at: number, reason: string): number {
    this.fault = { kind, at, reason };
    return at;
  }

  #u16(b: Buffer, at: number): number {
    return this.#littleEndian ? b.readUInt16LE(at) : b.readUInt16BE(at);
  }

  #u32(b: Buffer, at: number): number {
    return this.#littleEndian ? b.readUInt32LE(at) : b.readUInt32BE(at);
  }
}
