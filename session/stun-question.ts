/**
 * An ordinary STUN client with one question: what is my address, as the server sees it, by UDP? (M-05;
 * RFC 8489 6.2.1 for its patience.) Sans-IO: it tells when to send and judges what comes.
 */
import type { Endpoint } from '../wire/address.ts';
import { decode, encode, find, TRANSACTION_ID_LEN } from '../wire/stun/message.ts';
import { datagramSchedule, TransactionTable } from '../wire/stun/transactions.ts';
import { request } from './messages.ts';
import type { RandomSource } from './tunnel-end.ts';

/** `silent`: nothing came in all that time, so UDP does not pass, or no STUN is spoken there. */
export type StunStep = { readonly type: 'send'; readonly octets: Uint8Array } | { type: 'silent' };

export class StunQuestion {
  readonly #table = new TransactionTable<undefined>(datagramSchedule());
  readonly #first: Uint8Array;
  #isAsked = false;

  constructor(random: RandomSource, now: number) {
    const id = random(TRANSACTION_ID_LEN);
    this.#first = encode(request(id, []), { fingerprint: true });
    this.#table.start(id, this.#first, undefined, now);
  }

  /** What is to be done at `now`; asked until there is nothing. */
  poll(now: number): StunStep | undefined {
    if (!this.#isAsked) {
      this.#isAsked = true;
      return { type: 'send', octets: this.#first };
    }
    const event = this.#table.poll(now);
    if (event === undefined) return undefined;
    return event.type === 'send' ? { type: 'send', octets: event.octets } : { type: 'silent' };
  }

  /** When `poll` has something; Infinity when all is over. */
  nextTimeout(): number {
    return this.#table.nextTimeout();
  }

  /** The address in an answer to this question; undefined for anything else. */
  answer(b: Uint8Array, at: number, end: number, now: number): Endpoint | undefined {
    const message = decode(b, at, end);
    if (typeof message === 'number' || message.class !== 'success') return undefined;
    const address = find(message, 'XOR-MAPPED-ADDRESS') ?? find(message, 'MAPPED-ADDRESS');
    if (address === undefined || this.#table.finish(message.transactionId, now) === undefined) {
      return undefined;
    }
    return address;
  }
}
