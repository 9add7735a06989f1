/**
 * Client transactions: when a request is sent again and when it is given up, RFC 8489 6.2.1 (UDP) and
 * 6.2.2 (TCP, TLS), and a table of those that are under way. Time in milliseconds comes from outside.
 */
import { Buffer } from 'node:buffer';

/** First retransmission timeout of UDP; it doubles with each retransmission. */
const RTO_MS = 500;
/** Rc: how often a request is sent over UDP. */
const SENDS = 7;
/** Rm: the wait after the last one, in RTOs. */
const LAST_WAIT = 16;
/** Ti: how long an answer over TCP or TLS may take. */
export const STREAM_TIMEOUT_MS = 39_500;
/** More at once to one server are not polite (RFC 8489 6.2). */
export const MAX_TRANSACTIONS = 10;

/** Milliseconds after the first octet: of each sending, and of the failure. */
export interface Schedule {
  readonly sendsMs: readonly number[];
  readonly failureMs: number;
}

export const STREAM_SCHEDULE: Schedule = { sendsMs: [0], failureMs: STREAM_TIMEOUT_MS };

/** 0, 500, 1500, 3500, 7500, 15500, 31500, failure at 39500 for an RTO of 500. */
export function datagramSchedule(rtoMs: number = RTO_MS): Schedule {
  const sendsMs = Array.from({ length: SENDS }, (_, n) => (2 ** n - 1) * rtoMs);
  return { sendsMs, failureMs: (2 ** (SENDS - 1) - 1 + LAST_WAIT) * rtoMs };
}

interface Transaction<T> {
  readonly context: T;
  readonly octets: Uint8Array;
  readonly startedAt: number;
  sends: number;
}

export type TransactionEvent<T> =
  | { readonly type: 'send'; readonly octets: Uint8Array; readonly context: T }
  | { readonly type: 'timeout'; readonly context: T };

/** The transactions with one server. `context` is whatever the caller wants back with the answer. */
export class TransactionTable<T> {
  readonly #schedule: Schedule;
  readonly #open = new Map<string, Transaction<T>>();

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Notes a request that the caller sends now. False: there are too many, it must not be sent. */
  start(transactionId: Uint8Array, octets: Uint8Array, context: T, now: number): boolean {
    const id = idOf(transactionId);
    if (this.#open.size >= MAX_TRANSACTIONS || this.#open.has(id)) return false;
    this.#open.set(id, { context, octets, startedAt: now, sends: 1 });
    return true;
  }

  /** The context of the request that is still open under this id, without ending it. */
  match(transactionId: Uint8Array): T | undefined {
    return this.#open.get(idOf(transactionId))?.context;
  }

  /**
   * Ends a transaction. Gives the round trip, but only when the request was sent once: otherwise
   * nobody knows which one was answered (Karn).
   */
  finish(transactionId: Uint8Array, now: number): { rttMs: number | undefined } | undefined {
    const id = idOf(transactionId);
    const transaction = this.#open.get(id);
    if (transaction === undefined) return undefined;
    this.#open.delete(id);
    return { rttMs: transaction.sends === 1 ? now - transaction.startedAt : undefined };
  }

  /** The connection is gone: ends all of them and gives their contexts. */
  fail(): T[] {
    const contexts = [...this.#open.values()].map((transaction) => transaction.context);
    this.#open.clear();
    return contexts;
  }

  /** One thing that is due at `now`; to be asked until there is none. */
  poll(now: number): TransactionEvent<T> | undefined {
    for (const [id, transaction] of this.#open) {
      if (this.#dueAt(transaction) > now) continue;
      const { context, octets } = transaction;
      if (transaction.sends < this.#schedule.sendsMs.length) {
        transaction.sends += 1;
        return { type: 'send', octets, context };
      }
      this.#open.delete(id);
      return { type: 'timeout', context };
    }
    return undefined;
  }

  /** When `poll` will have something; Infinity: never. */
  nextTimeout(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const transaction of this.#open.values()) {
      next = Math.min(next, this.#dueAt(transaction));
    }
    return next;
  }

  #dueAt(transaction: Transaction<T>): number {
    const { sendsMs, failureMs } = this.#schedule;
    return transaction.startedAt + (sendsMs[transaction.sends] ?? failureMs);
  }
}

function idOf(transactionId: Uint8Array): string {
  return Buffer.from(transactionId).toString('latin1');
}
