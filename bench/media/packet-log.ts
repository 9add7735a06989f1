/** What `media.c` writes: a record of 32 octets for every packet sent, or received. */
import { readFileSync } from 'node:fs';

const RECORD_LEN = 32;

/** Columns of records; views on one buffer, so that half a million packets are no objects. */
export class PacketLog {
  readonly length: number;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;

  constructor(octets: Uint8Array) {
    const whole = new Uint8Array(octets).buffer;
    this.length = Math.floor(whole.byteLength / RECORD_LEN);
    this.#words = new Uint32Array(whole, 0, this.length * 8);
    this.#doubles = new Float64Array(whole, 0, this.length * 4);
  }

  flow(i: number): number {
    return this.#words[8 * i] ?? 0;
  }

  sequence(i: number): number {
    return this.#words[8 * i + 1] ?? 0;
  }

  /** Of RTP: packets of one video frame have the same. */
  timestamp(i: number): number {
    return this.#words[8 * i + 2] ?? 0;
  }

  /** Since the start of the run. */
  sentMs(i: number): number {
    return this.#doubles[4 * i + 2] ?? Number.NaN;
  }

  arrivedMs(i: number): number {
    return this.#doubles[4 * i + 3] ?? Number.NaN;
  }
}

export function readLog(file: string): PacketLog {
  return new PacketLog(readFileSync(file));
}
