/**
 * An ordinary STUN client with one question: what is my address, as the server sees it, by UDP? (M-05;
 * RFC 8489 6.2.1 for its patience.) Sans-IO: it tells when to send and judges what comes.
 */
import type { Endpoint } from '../wire/address.ts';
import { equal } from '../wire/bytes.ts';
import { decode, encode, find, TRANSACTION_ID_LEN } from '../wire/stun/message.ts';
import { DATAGRAM_FAILURE_MS, DATAGRAM_SENDS_MS } from '../wire/stun/schedule.ts';
import { request } from './messages.ts';
import type { RandomSource } from './tunnel-end.ts';

/** `silent`: nothing came in all that time, so UDP does not pass, or no STUN is spoken there. */
export type StunStep = { readonly type: 'send'; readonly octets: Uint8Array } | { type: 'silent' };

export class StunQuestion {
  readonly #id: Uint8Array;
  readonly #octets: Uint8Array;
  /** When it was first sent: whoever asks may have to find the server first. */
  #firstMs: number | undefined;
  #sends = 0;
  #isOver = false;

  constructor(random: RandomSource) {
    this.#id = random(TRANSACTION_ID_LEN);
    this.#octets = encode(request(this.#id, []), { fingerprint: true });
  }

  /** What is to be done at `now`; asked until there is nothing. */
  poll(now: number): StunStep | undefined {
    this.#firstMs ??= now;
    if (now < this.nextTimeout()) return undefined;
    if (this.#sends === DATAGRAM_SENDS_MS.length) {
      this.#isOver = true;
      return { type: 'silent' };
    }
    this.#sends += 1;
    return { type: 'send', octets: this.#octets };
  }

  /** When `poll` has something; Infinity when all is over. */
  nextTimeout(): number {
    if (this.#isOver) return Number.POSITIVE_INFINITY;
    return (this.#firstMs ?? 0) + (DATAGRAM_SENDS_MS[this.#sends] ?? DATAGRAM_FAILURE_MS);
  }

  /** The address in an answer to this question; undefined for anything else. */
  answer(b: Uint8Array, at: number, end: number): Endpoint | undefined {
    const message = decode(b, at, end);
    if (typeof message === 'number' || message.class !== 'success' || this.#isOver) {
      return undefined;
    }
    if (!equal(message.transactionId, 0, this.#id, 0, TRANSACTION_ID_LEN)) return undefined;
    const address = find(message, 'XOR-MAPPED-ADDRESS') ?? find(message, 'MAPPED-ADDRESS');
    this.#isOver = address !== undefined;
    return address;
  }
}
