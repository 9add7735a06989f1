/** The octets of a classic pcap file, collected into pieces for whoever writes them. */
import { Buffer } from 'node:buffer';
import { MAX_CAPTURED_LEN } from './format.ts';

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const FILE_HEADER_LEN = 24;
const RECORD_HEADER_LEN = 16;

/** Octets collected before they are handed out. */
const BUFFER_LEN = 262_144;

export interface CaptureWriterOptions {
  readonly linkType: number;
  readonly precision: 'microseconds' | 'nanoseconds';
}

export class CaptureEncoder {
  readonly #nanoseconds: boolean;
  readonly #out: (octets: Uint8Array) => void;
  readonly #b = Buffer.allocUnsafe(BUFFER_LEN + RECORD_HEADER_LEN + MAX_CAPTURED_LEN);
  #filled = 0;

  /** Octets given to `out` are valid during the call only. */
  constructor(options: CaptureWriterOptions, out: (octets: Uint8Array) => void) {
    this.#nanoseconds = options.precision === 'nanoseconds';
    this.#out = out;
    this.#fileHeader(options.linkType);
  }

  /** Adds the packet [at, end) of `b`; the octets are copied. */
  write(seconds: number, nanoseconds: number, b: Uint8Array, at: number, end: number): void {
    const length = end - at;
    if (length > MAX_CAPTURED_LEN) throw new RangeError(`packet of ${length} octets`);
    const from = this.#filled;
    const fraction = this.#nanoseconds ? nanoseconds : Math.floor(nanoseconds / 1000);
    this.#b.writeUInt32LE(seconds >>> 0, from);
    this.#b.writeUInt32LE(fraction, from + 4);
    this.#b.writeUInt32LE(length, from + 8);
    this.#b.writeUInt32LE(length, from + 12);
    this.#b.set(b.subarray(at, end), from + RECORD_HEADER_LEN);
    this.#filled += RECORD_HEADER_LEN + length;
    if (this.#filled >= BUFFER_LEN) this.flush();
  }

  /** Hands out what has been collected. */
  flush(): void {
    const octets = this.#b.subarray(0, this.#filled);
    this.#filled = 0;
    this.#out(octets);
  }

  #fileHeader(linkType: number): void {
    this.#b.writeUInt32LE(this.#nanoseconds ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS, 0);
    this.#b.writeUInt16LE(2, 4);
    this.#b.writeUInt16LE(4, 6);
    this.#b.writeUInt32LE(0, 8);
    this.#b.writeUInt32LE(0, 12);
    this.#b.writeUInt32LE(MAX_CAPTURED_LEN, 16);
    this.#b.writeUInt32LE(linkType, 20);
    this.#filled = FILE_HEADER_LEN;
  }
}
