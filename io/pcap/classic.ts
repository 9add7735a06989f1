/**
 * Classic pcap (draft-ietf-opsawg-pcap), micro- and nanoseconds, both byte orders, read by
 * pcap-parser. That package buffers without limit when a length is corrupt, says nothing when a file
 * is cut, and knows no nanoseconds. So it only ever sees octets that were checked here: a header
 * that it knows, and whole records of legal length.
 *
 *   file    magic(4) major(2) minor(2) zone(4) accuracy(4) snaplen(4) link type(4)
 *   record  seconds(4) fraction(4) captured length(4) original length(4) octets …
 */
import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import { type Packet, parse } from 'pcap-parser';
import {
  type CaptureFormat,
  type FormatFault,
  MAX_CAPTURED_LEN,
  NS_PER_SECOND,
  type PacketRecord,
} from './format.ts';

const FILE_HEADER_LEN = 24;
const OFF_MAJOR = 4;
const OFF_MINOR = 6;
const OFF_LINK_TYPE = 20;
const RECORD_HEADER_LEN = 16;
const OFF_CAPTURED_LEN = 8;

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
/** Patched libpcap of the 1990s: a longer record header. */
const MAGIC_MODIFIED = 0xa1b2cd34;

/** The upper bits of the link type field tell the length of the frame check sequence. */
const LINK_TYPE_MASK = 0xffff;

/** Whether the octets begin like classic pcap of any kind, also of kinds that cannot be read. */
export function looksLikeClassic(b: Buffer, at: number): boolean {
  return isMagic(b.readUInt32BE(at)) || isMagic(b.readUInt32LE(at));
}

export class ClassicFormat implements CaptureFormat {
  fault: FormatFault | undefined;
  readonly openLength = 0;
  #littleEndian = false;
  #nsPerTick = 1000;
  #linkType = 0;
  #headerSeen = false;
  #records: PacketRecord[] = [];
  readonly #source = new PushSource();

  constructor() {
    const parser = parse(this.#source);
    parser.on('packet', (packet) => this.#packet(packet));
    parser.on('error', (error) => {
      throw error;
    });
  }

  take(b: Buffer, at: number, end: number, records: PacketRecord[]): number {
    const from = this.#headerSeen ? at : this.#takeHeader(b, at, end);
    if (!this.#headerSeen) return from;
    const to = this.#endOfWholeRecords(b, from, end);
    if (to > from) {
      this.#records = records;
      this.#source.emit('data', b.subarray(from, to));
    }
    return to;
  }

  #takeHeader(b: Buffer, at: number, end: number): number {
    if (end - at < FILE_HEADER_LEN) return at;
    this.#littleEndian = isMagic(b.readUInt32LE(at));
    const magic = this.#u32(b, at);
    const version = `${this.#u16(b, at + OFF_MAJOR)}.${this.#u16(b, at + OFF_MINOR)}`;
    if (magic === MAGIC_MODIFIED) {
      this.fault = {
        kind: 'unsupported',
        at,
        reason: 'modified pcap (magic a1b2cd34); editcap -F pcap makes an ordinary file of it',
      };
      return at;
    }
    if (version !== '2.4') {
      this.fault = { kind: 'unsupported', at, reason: `pcap version ${version}, not 2.4` };
      return at;
    }
    this.#nsPerTick = magic === MAGIC_NANOSECONDS ? 1 : 1000;
    this.#linkType = this.#u32(b, at + OFF_LINK_TYPE) & LINK_TYPE_MASK;
    this.#headerSeen = true;
    this.#source.emit('data', this.#asMicroseconds(b.subarray(at, at + FILE_HEADER_LEN)));
    return at + FILE_HEADER_LEN;
  }

  /** A copy of the file header with the one magic that pcap-parser knows. */
  #asMicroseconds(header: Buffer): Buffer {
    const known = Buffer.from(header);
    if (this.#littleEndian) known.writeUInt32LE(MAGIC_MICROSECONDS);
    else known.writeUInt32BE(MAGIC_MICROSECONDS);
    return known;
  }

  /** Walks the record headers. A record of impossible length is a fault before it is waited for. */
  #endOfWholeRecords(b: Buffer, at: number, end: number): number {
    let to = at;
    while (end - to >= RECORD_HEADER_LEN) {
      const captured = this.#u32(b, to + OFF_CAPTURED_LEN);
      if (captured > MAX_CAPTURED_LEN) {
        this.fault = {
          kind: 'corrupt',
          at: to,
          reason: `a packet of ${captured} octets; no more than ${MAX_CAPTURED_LEN} are possible`,
        };
        break;
      }
      if (end - to < RECORD_HEADER_LEN + captured) break;
      to += RECORD_HEADER_LEN + captured;
    }
    return to;
  }

  /** pcap-parser copies each piece that it is given, so `data` stays as it is. */
  #packet({ header, data }: Packet): void {
    const ns = header.timestampMicroseconds * this.#nsPerTick;
    this.#records.push({
      seconds: header.timestampSeconds + Math.floor(ns / NS_PER_SECOND),
      nanoseconds: ns % NS_PER_SECOND,
      linkType: this.#linkType,
      originalLength: header.originalLength,
      b: data,
      at: 0,
      end: data.length,
    });
  }

  #u16(b: Buffer, at: number): number {
    return this.#littleEndian ? b.readUInt16LE(at) : b.readUInt16BE(at);
  }

  #u32(b: Buffer, at: number): number {
    return this.#littleEndian ? b.readUInt32LE(at) : b.readUInt32BE(at);
  }
}

/** The least that pcap-parser takes for a stream: octets are pushed, packets come out at once. */
class PushSource extends EventEmitter {
  pause(): void {}
  resume(): void {}
}

function isMagic(magic: number): boolean {
  return magic === MAGIC_MICROSECONDS || magic === MAGIC_NANOSECONDS || magic === MAGIC_MODIFIED;
}
