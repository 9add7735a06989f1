/**
 * What TEP-C asks TEP-S, and which answer belongs to which question: signing, challenges, retries
 * (RFC 8489 9, tep-wire 3, 5, 7). What an answer means is the business of client-tunnel.ts and
 * client-binder.ts.
 */
import { FAULTS, faultAction } from '../wire/faults.ts';
import type { Attribute } from '../wire/stun/attributes.ts';
import { decode, type StunMessage, TRANSACTION_ID_LEN } from '../wire/stun/message.ts';
import type { ClientConnection, ClientTransaction, Purpose } from './client-connection.ts';
import type { Connections } from './connections.ts';
import type { Counters } from './counters.ts';
import { request } from './messages.ts';
import type { ClientOutput } from './outputs.ts';
import type { RandomSource } from './tunnel-end.ts';

export interface ClientRequestsParts {
  readonly connections: Connections<ClientConnection, ClientOutput>;
  readonly counters: Counters;
  readonly random: RandomSource;
  succeeded(c: ClientConnection, asked: ClientTransaction, message: StunMessage, now: number): void;
  /** No retry in place can change this answer. */
  failed(c: ClientConnection, purpose: Purpose, code: number, reason: string, now: number): void;
}

export class ClientRequests {
  readonly #parts: ClientRequestsParts;

  constructor(parts: ClientRequestsParts) {
    this.#parts = parts;
  }

  ask(
    c: ClientConnection,
    purpose: Purpose,
    attributes: readonly Attribute[],
    now: number,
    id: Uint8Array = this.#newId(),
  ): void {
    const signed = c.auth.request(request(id, attributes));
    this.#send(c, { id, sentAtMs: now, purpose, request: signed }, now);
  }

  /** A control record came. */
  answer(c: ClientConnection, b: Uint8Array, at: number, end: number, now: number): void {
    const { connections, counters } = this.#parts;
    const message = decode(b, at, end);
    if (typeof message === 'number') {
      if (faultAction(message) === 'close') connections.end(c, 'shut', message, now);
      else counters.note(message);
      return;
    }
    // An indication has done its work by arriving (M-19).
    if (message.class === 'indication') return;
    const isAnswer = message.class !== 'request';
    const asked = isAnswer ? c.transactions.take(message.transactionId) : undefined;
    if (asked === undefined) counters.note(FAULTS.STUN_UNEXPECTED);
    else this.#judge(c, asked, message, b, at, now);
  }

  #judge(
    c: ClientConnection,
    asked: ClientTransaction,
    message: StunMessage,
    b: Uint8Array,
    at: number,
    now: number,
  ): void {
    const { connections, counters, failed, succeeded } = this.#parts;
    const verdict = c.auth.digest(asked.request, message, b, at);
    switch (verdict.type) {
      case 'success':
        succeeded(c, asked, message, now);
        return;
      case 'retry':
        this.#again(c, asked, now);
        return;
      case 'discard':
        counters.note(verdict.fault);
        c.transactions.add(asked);
        return;
      case 'failed':
        failed(c, asked.purpose, verdict.code, verdict.reason, now);
        return;
      case 'redirect':
        failed(c, asked.purpose, 300, 'Try Alternate', now);
        return;
      case 'broken':
        connections.end(c, 'shut', verdict.fault, now);
    }
  }

  #again(c: ClientConnection, asked: ClientTransaction, now: number): void {
    const { purpose } = asked;
    const id = this.#newId();
    if (purpose.type === 'open') this.#parts.connections.move(c, 'challenge', now);
    // Nothing was granted under the old id: the one that counts from now on is the new one.
    if (purpose.type === 'bind') purpose.binding.transactionId = id;
    this.#send(c, { ...asked, id, sentAtMs: now, request: c.auth.retry(asked.request, id) }, now);
  }

  #send(c: ClientConnection, transaction: ClientTransaction, now: number): void {
    const { connections } = this.#parts;
    c.transactions.add(transaction);
    connections.sendControl(c, transaction.request.octets, now);
    connections.scheduleBy(c, c.answerDueMs());
  }

  #newId(): Uint8Array {
    return this.#parts.random(TRANSACTION_ID_LEN);
  }
}
