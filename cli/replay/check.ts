/**
 * Compares what comes out of one direction of the tunnel with what should: every packet once, in
 * order, with the right octets. Packets on their way are kept as copies, MAX_WAITING of them at most;
 * the oldest beyond that is lost.
 */
import { type Counts, countDrop } from './counts.ts';
import { type Difference, ExpectedPacket } from './expected-packet.ts';

const MAX_WAITING = 1_024;

export class Check {
  readonly #counts: Counts;
  /** Expected and not arrived, in order of sending. */
  readonly #waiting: ExpectedPacket[] = [];
  /** Used before and free to be used again. */
  readonly #spare: ExpectedPacket[] = [];
  #sent = 0;
  #newestArrived = -1;

  constructor(counts: Counts) {
    this.#counts = counts;
  }

  /** To be filled with what the next packet sent should become. */
  next(): ExpectedPacket {
    if (this.#waiting.length === MAX_WAITING) this.#lose();
    const packet = this.#spare.pop() ?? new ExpectedPacket();
    packet.number = this.#sent;
    this.#sent += 1;
    this.#waiting.push(packet);
    return packet;
  }

  /** The packet of the last `next` was not taken by the tunnel. */
  withdraw(reason: string): void {
    const packet = this.#waiting.pop();
    if (packet === undefined) throw new RangeError('nothing was expected');
    this.#spare.push(packet);
    countDrop(this.#counts, reason);
  }

  /** The packet [start, end) came out. */
  arrived(b: Uint8Array, start: number, end: number): void {
    const [first] = this.#waiting;
    const difference = first?.compare(b, start, end) ?? 'octets';
    let place = 0;
    if (difference !== 'same') {
      place = this.#waiting.findIndex((packet) => packet.compare(b, start, end) === 'same');
      if (place < 0) this.#count(difference);
    }
    this.#take(Math.max(0, place));
  }

  /** Nothing more will arrive: what is still waiting was lost. */
  end(): void {
    while (this.#waiting.length > 0) this.#lose();
  }

  #count(difference: Exclude<Difference, 'same'>): void {
    if (difference === 'checksum') this.#counts.checksumErrors += 1;
    else if (difference === 'addresses') this.#counts.tupleErrors += 1;
    else this.#counts.mismatches += 1;
  }

  #take(index: number): void {
    const [packet] = index === 0 ? [this.#waiting.shift()] : this.#waiting.splice(index, 1);
    if (packet === undefined) return;
    this.#counts.carried += 1;
    if (packet.number < this.#newestArrived) this.#counts.orderErrors += 1;
    this.#newestArrived = Math.max(this.#newestArrived, packet.number);
    this.#spare.push(packet);
  }

  #lose(): void {
    const packet = this.#waiting.shift();
    if (packet !== undefined) this.#spare.push(packet);
    countDrop(this.#counts, 'lost');
  }
}
