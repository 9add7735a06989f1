/**
 * STUN requests that wait for their answer on one connection. Over TCP nothing is retransmitted
 * (RFC 8489 6.2.2): an answer comes within Ti or the connection is of no use any more.
 *
 * Memory: the requests of TEP-C itself; bounded by the number of its bindings.
 */
import { equal } from '../wire/bytes.ts';
import { TRANSACTION_ID_LEN } from '../wire/stun/message.ts';
import { STREAM_TIMEOUT_MS } from '../wire/stun/schedule.ts';

export interface Transaction {
  /** 12 octets. */
  readonly id: Uint8Array;
  readonly sentAtMs: number;
}

export class Transactions<T extends Transaction> {
  #waiting: T[] = [];

  add(transaction: T): void {
    this.#waiting.push(transaction);
  }

  /** Takes out the one with this id; undefined when the answer is to nothing that we sent. */
  take(id: Uint8Array): T | undefined {
    const at = this.#waiting.findIndex((t) => equal(t.id, 0, id, 0, TRANSACTION_ID_LEN));
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0];
  }

  some(holds: (transaction: T) => boolean): boolean {
    return this.#waiting.some(holds);
  }

  /** Takes out all. */
  takeAll(): T[] {
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  /** When the oldest one is overdue; Infinity when none waits. */
  deadline(): number {
    const sent = this.#waiting.reduce(
      (first, t) => Math.min(first, t.sentAtMs),
      Number.POSITIVE_INFINITY,
    );
    return sent + STREAM_TIMEOUT_MS;
  }
}
