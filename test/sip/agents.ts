/**
 * Two agents that keep the rules of offer and answer (RFC 3261 clause 14, RFC 3311 clause 5, RFC 3264) inside one
 * dialog, each with its own idea of what is agreed. They start negotiations at random, answer late,
 * refuse, and run into each other.
 */
import type { Side } from '../../sip/negotiation.ts';

export interface Sent {
  readonly kind: 'request' | 'response';
  /** `INVITE 3`. */
  readonly what: string;
  readonly status: number;
  readonly sdp: string | undefined;
}

interface Served {
  readonly what: string;
  readonly offer: string | undefined;
}

type Below = (n: number) => number;

export class Agent {
  /** What this agent believes: its own description and the other's. */
  own = '';
  theirs = '';
  readonly #side: Side;
  readonly #random: Below;
  readonly #send: (message: Sent) => void;
  #cseq = 1;
  #count = 0;
  /** Own request under way, with the offer that it made. */
  #asked: Served | undefined;
  /** Request of the other that waits for an answer. */
  #serving: Served | undefined;
  /** Offer made in a 2xx, to be answered by ACK. */
  #owed: string | undefined;

  constructor(side: Side, random: Below, send: (message: Sent) => void) {
    this.#side = side;
    this.#random = random;
    this.#send = send;
  }

  get isIdle(): boolean {
    return this.#asked === undefined && this.#serving === undefined && this.#owed === undefined;
  }

  /** One step of its own: answers what waits, or begins something. */
  step(mayBegin: boolean): void {
    if (this.#serving !== undefined) this.#answer(this.#serving);
    else if (mayBegin && this.isIdle) this.#begin();
  }

  receive(message: Sent): void {
    const [method = ''] = message.what.split(' ');
    if (message.kind === 'response') this.#onResponse(message);
    else if (method === 'ACK') this.#onAck(message);
    else this.#onRequest(message);
  }

  #begin(): void {
    const what = `${this.#random(2) === 0 ? 'INVITE' : 'UPDATE'} ${++this.#cseq}`;
    const isEmpty = what.startsWith('INVITE') && this.#random(3) === 0;
    const offer = isEmpty ? undefined : this.#description();
    this.#asked = { what, offer };
    this.#send({ kind: 'request', what, status: 0, sdp: offer });
  }

  /** Glare: both have something under way (491). */
  #onRequest({ what, sdp }: Sent): void {
    if (!this.isIdle) this.#respond(what, 491);
    else this.#serving = { what, offer: sdp };
  }

  #answer({ what, offer }: Served): void {
    this.#serving = undefined;
    const refuses = this.#random(4) === 0;
    const sdp = refuses ? undefined : this.#description();
    if (sdp !== undefined && offer === undefined) this.#owed = sdp;
    if (sdp !== undefined && offer !== undefined) this.#agree(sdp, offer);
    this.#respond(what, refuses ? 488 : 200, sdp);
  }

  #onResponse({ what, status, sdp }: Sent): void {
    const asked = this.#asked;
    if (asked?.what !== what) throw new Error(`${what} was not asked`);
    this.#asked = undefined;
    const isInvite = what.startsWith('INVITE');
    if (status !== 200 || sdp === undefined) return;
    if (asked.offer !== undefined) this.#agree(asked.offer, sdp);
    const answer = asked.offer === undefined ? this.#description() : undefined;
    if (answer !== undefined) this.#agree(answer, sdp);
    const ack = what.replace('INVITE', 'ACK');
    if (isInvite) this.#send({ kind: 'request', what: ack, status: 0, sdp: answer });
  }

  #onAck({ sdp }: Sent): void {
    if (sdp === undefined || this.#owed === undefined) return;
    this.#agree(this.#owed, sdp);
    this.#owed = undefined;
  }

  #respond(what: string, status: number, sdp?: string): void {
    this.#send({ kind: 'response', what, status, sdp });
  }

  #agree(own: string, theirs: string): void {
    this.own = own;
    this.theirs = theirs;
  }

  #description(): string {
    return `${this.#side}${++this.#count}`;
  }
}
