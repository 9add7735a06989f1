/**
 * What waits to be written to one connection: whole records, bounded, without a copy beyond the one
 * that puts them in. Two buffers change places: one is being written by the agent and does not move,
 * the other is filled. So there is nothing to compact and cost is linear however little is taken.
 *
 *     writing  | taken | head … tail |         <- pending() gives [head, tail)
 *     filling  | 0 … filled |                  <- push() appends
 *
 * Data is refused when `limit` octets wait; control records have CONTROL_RESERVE on top, so that a
 * tunnel whose peer reads slowly can still be kept alive and closed.
 *
 * Memory: at most twice (limit + CONTROL_RESERVE); FIRST_LEN for each buffer when traffic is light, and
 * grown buffers are given back as soon as they are empty.
 */
import { copy, copyInto, type Room, room } from '../wire/bytes.ts';

/** Room for control records that data may not take: ten of the longest STUN messages. */
export const CONTROL_RESERVE = 15_000;

const FIRST_LEN = 2048;
/** A buffer above this is not kept once it is empty. */
const KEEP_LEN = 65_536;

const NOTHING = room(0);

export class SendQueue {
  readonly limit: number;
  #writing: Room = NOTHING;
  #head = 0;
  #tail = 0;
  #filling: Room = NOTHING;
  #filled = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Octets that wait, those being written included. */
  get length(): number {
    return this.#tail - this.#head + this.#filled;
  }

  /** Octets of memory that this queue owns. */
  get capacity(): number {
    return this.#writing.bytes.length + this.#filling.bytes.length;
  }

  /** Appends one record of data; false when there is no room for all of it. */
  push(b: Uint8Array, at: number, end: number): boolean {
    return this.length + (end - at) <= this.limit && this.#append(b, at, end);
  }

  /** Appends one control record; false when even the reserve is used up. */
  pushControl(b: Uint8Array): boolean {
    return this.length + b.length <= this.limit + CONTROL_RESERVE && this.#append(b, 0, b.length);
  }

  /** Whether all that `pending` gave has been taken. */
  get isTaken(): boolean {
    return this.#head === this.#tail;
  }

  /** A view of what may be written now; the same octets until `wrote`. */
  pending(): Uint8Array {
    if (this.#head === this.#tail) {
      if (this.#filled === 0) return NOTHING.bytes;
      this.#swap();
    }
    return this.#writing.bytes.subarray(this.#head, this.#tail);
  }

  wrote(n: number): void {
    if (n < 0 || n > this.#tail - this.#head) throw new RangeError('more written than was pending');
    this.#head += n;
    if (this.#head !== this.#tail) return;
    this.#head = 0;
    this.#tail = 0;
    if (this.#writing.bytes.length > KEEP_LEN) this.#writing = NOTHING;
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    this.#writing = NOTHING;
    this.#filling = NOTHING;
    this.#head = 0;
    this.#tail = 0;
    this.#filled = 0;
  }

  #swap(): void {
    const empty = this.#writing;
    this.#writing = this.#filling;
    this.#tail = this.#filled;
    this.#head = 0;
    this.#filling = empty;
    this.#filled = 0;
  }

  #append(b: Uint8Array, at: number, end: number): true {
    const length = end - at;
    const filled = this.#filled;
    if (filled + length > this.#filling.bytes.length) this.#grow(filled + length);
    copyInto(this.#filling, filled, b, at, length);
    this.#filled = filled + length;
    return true;
  }

  /** Doubles, but never above what may wait at most. */
  #grow(needed: number): void {
    const doubled = Math.max(FIRST_LEN, this.#filling.bytes.length * 2);
    const most = this.limit + CONTROL_RESERVE;
    const grown = room(Math.max(needed, Math.min(most, doubled)));
    copy(this.#filling.bytes, 0, grown.bytes, 0, this.#filled);
    this.#filling = grown;
  }
}
