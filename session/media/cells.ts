/**
 * Where packets wait: cells of 256 octets in one buffer, a packet is a chain of them; one of speech fits
 * into one. What is known of a packet stands in columns of typed arrays under the number of its first cell,
 * so that a waiting packet is no object and a flood of them is no work for the garbage collector.
 *
 *     bytes    | cell 0 | cell 1 | cell 2 | …
 *     more     the next cell of the packet, or of the free ones; -1: the last
 *     behind   the next packet of the same lane; -1: the last
 *
 * Memory: nothing while no packet has waited; it doubles up to `limit` octets and 28 octets beside each
 * cell. Empty it stays until `giveBack`: memory that comes and goes with every packet that waits makes the
 * garbage collector run several times a second, and what then waits for the collector needs more of it.
 */
import { copy, copyInto, type Room, room } from '../../wire/bytes.ts';
import type { SendQueue } from '../send-queue.ts';

export const CELL_LEN = 256;
const FIRST_CELLS = 16;
const NONE = -1;

export class Cells {
  readonly #most: number;
  #bytes: Room = room(0);
  #more = new Int32Array(0);
  #behind = new Int32Array(0);
  #lengths = new Int32Array(0);
  #frames = new Float64Array(0);
  #since = new Float64Array(0);
  #free = NONE;
  #used = 0;

  /** Holds at most `limit` octets, in whole cells. */
  constructor(limit: number) {
    this.#most = Math.floor(limit / CELL_LEN);
  }

  /** Octets of the cells in use. */
  get octets(): number {
    return this.#used * CELL_LEN;
  }

  /** Octets of memory that the cells take. */
  get capacity(): number {
    return this.#bytes.bytes.length;
  }

  fits(length: number): boolean {
    return this.#used + cellsFor(length) <= this.#most;
  }

  /** Whether it could be held if nothing else were. */
  couldFit(length: number): boolean {
    return cellsFor(length) <= this.#most;
  }

  /** Copies the packet at [at, end), which `fits`; gives its number until it is removed. */
  put(b: Uint8Array, at: number, end: number, frame: number, now: number): number {
    const needed = cellsFor(end - at);
    while (this.#used + needed > this.#more.length) this.#grow();
    this.#used += needed;
    const first = this.#free;
    let cell = first;
    for (let from = at; ; from += CELL_LEN) {
      const length = Math.min(CELL_LEN, end - from);
      copyInto(this.#bytes, cell * CELL_LEN, b, from, length);
      if (end - from <= CELL_LEN) break;
      cell = this.#next(cell);
    }
    this.#free = this.#next(cell);
    this.#more[cell] = NONE;
    this.#behind[first] = NONE;
    this.#lengths[first] = end - at;
    this.#frames[first] = frame;
    this.#since[first] = now;
    return first;
  }

  length(packet: number): number {
    return this.#lengths[packet] ?? 0;
  }

  /** What tells the pieces of one video frame from those of another. */
  frame(packet: number): number {
    return this.#frames[packet] ?? NONE;
  }

  /** Since when it waits. */
  sinceMs(packet: number): number {
    return this.#since[packet] ?? 0;
  }

  behind(packet: number): number {
    return this.#behind[packet] ?? NONE;
  }

  setBehind(packet: number, next: number): void {
    this.#behind[packet] = next;
  }

  /** Appends the octets of the packet, for which there is room. */
  pour(packet: number, into: SendQueue): void {
    let rest = this.length(packet);
    for (let cell = packet; rest > 0; cell = this.#next(cell)) {
      const at = cell * CELL_LEN;
      const length = Math.min(CELL_LEN, rest);
      into.push(this.#bytes.bytes, at, at + length);
      rest -= length;
    }
  }

  remove(packet: number): void {
    let last = packet;
    let count = 1;
    for (let next = this.#next(last); next !== NONE; next = this.#next(last)) {
      last = next;
      count += 1;
    }
    this.#more[last] = this.#free;
    this.#free = packet;
    this.#used -= count;
  }

  /** When nothing waits: the memory goes. */
  giveBack(): void {
    if (this.#used > 0) throw new RangeError('a packet would lose its cells');
    this.#allocate(0);
  }

  #next(cell: number): number {
    return this.#more[cell] ?? NONE;
  }

  #grow(): void {
    const before = this.#more.length;
    this.#allocate(Math.min(this.#most, Math.max(FIRST_CELLS, 2 * before)));
    for (let cell = this.#more.length - 1; cell >= before; cell--) {
      this.#more[cell] = this.#free;
      this.#free = cell;
    }
  }

  /** Columns of so many cells, with what stood in them. */
  #allocate(cells: number): void {
    const bytes = room(cells * CELL_LEN);
    copy(this.#bytes.bytes, 0, bytes.bytes, 0, Math.min(bytes.bytes.length, this.capacity));
    this.#bytes = bytes;
    this.#more = resized(this.#more, new Int32Array(cells));
    this.#behind = resized(this.#behind, new Int32Array(cells));
    this.#lengths = resized(this.#lengths, new Int32Array(cells));
    this.#frames = resized(this.#frames, new Float64Array(cells));
    this.#since = resized(this.#since, new Float64Array(cells));
    if (cells === 0) this.#free = NONE;
  }
}

function cellsFor(length: number): number {
  return Math.max(1, Math.ceil(length / CELL_LEN));
}

function resized<Column extends Int32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from.subarray(0, to.length));
  return to;
}
