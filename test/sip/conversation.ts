/**
 * A conversation between a phone and the network, told message by message as an element between them
 * sees it. The phone's tag is `p`; the other end's is `c` unless a fork says otherwise.
 */
import { Buffer } from 'node:buffer';
import type { Role, Side } from '../../sip/negotiation.ts';
import { type Change, type DialogId, OfferAnswer } from '../../sip/offer-answer.ts';
import { request, response, sip } from './vectors.ts';

export interface Told {
  /** A word that stands for the description. */
  readonly sdp?: string;
  /** Tag of the network's end. */
  readonly fork?: string;
  /** Further header fields. */
  readonly more?: readonly string[];
}

export class Conversation {
  readonly tracker = new OfferAnswer();
  now = 0;
  readonly #callId: string;

  constructor(callId = 'call') {
    this.#callId = callId;
  }

  /** `INVITE 1`; the first one of a dialog has no To tag. */
  ask(from: Side, what: string, told: Told = {}): Role {
    const [method = ''] = what.split(' ');
    const tags = this.#tags(from, told, what.endsWith(' new'));
    const lines = [`${method} sip:x SIP/2.0`, ...this.#lines(tags, what.replace(' new', ''), told)];
    return this.tracker.request(from, request(sip(lines)), octets(told.sdp), this.now);
  }

  /** `from` answers: `200`, `INVITE 1`. */
  answer(from: Side, status: number, what: string, told: Told = {}): Role {
    const requester = from === 'phone' ? 'core' : 'phone';
    const lines = [
      `SIP/2.0 ${status} x`,
      ...this.#lines(this.#tags(requester, told, false), what, told),
    ];
    return this.tracker.response(from, response(sip(lines)), octets(told.sdp), this.now);
  }

  /** What came of it, in short: `agreed p:o1 c:a1`, `withdrawn`, `ended`; the fork where it is not `c`. */
  changes(): string[] {
    const all: Change[] = [];
    for (let one = this.tracker.poll(); one !== undefined; one = this.tracker.poll()) all.push(one);
    return all.map((one) => {
      const { type, dialog } = one;
      const agreement =
        one.type === 'agreed'
          ? ` p:${word(one.agreement.phone)} c:${word(one.agreement.core)}`
          : '';
      return `${type}${suffix(dialog)}${agreement}`;
    });
  }

  /** Descriptions in use: `p:o1,o2 c:a1` for each dialog. */
  inUse(): string[] {
    return this.tracker.standing().map(({ dialog, phone, core }) => {
      const words = (list: readonly Uint8Array[]) => list.map(word).join(',');
      return `p:${words(phone)} c:${words(core)}${suffix(dialog)}`;
    });
  }

  #tags(requester: Side, told: Told, initial: boolean): readonly [from: string, to: string] {
    const fork = told.fork ?? 'c';
    const [from, to] = requester === 'phone' ? ['p', fork] : [fork, 'p'];
    return [from, initial ? '' : to];
  }

  #lines([from, to]: readonly [string, string], what: string, told: Told): string[] {
    const [method, number] = what.split(' ');
    return [
      'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
      `From: <sip:a@x>;tag=${from}`,
      `To: <sip:b@x>${to === '' ? '' : `;tag=${to}`}`,
      `Call-ID: ${this.#callId}`,
      `CSeq: ${number} ${method}`,
      ...(told.more ?? []),
    ];
  }
}

export function reliable(rseq: number): readonly string[] {
  return ['Require: 100rel', `RSeq: ${rseq}`];
}

export function rack(rseq: number, what: string): readonly string[] {
  const [method, number] = what.split(' ');
  return [`RAck: ${rseq}  ${number} ${method}`];
}

function octets(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : Buffer.from(text);
}

function word(sdp: Uint8Array): string {
  return Buffer.from(sdp).toString();
}

function suffix(dialog: DialogId): string {
  const { coreTag } = dialog;
  return coreTag === 'c' ? '' : ` (${coreTag === '' ? 'nobody yet' : coreTag})`;
}

/** A call that the phone made and the network answered: `p:o1 c:a1`. */
export function established(): Conversation {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  c.answer('core', 200, 'INVITE 1', { sdp: 'a1' });
  c.ask('phone', 'ACK 1');
  c.changes();
  return c;
}
