/**
 * The calls that pass, each with its media. What their descriptions no longer name is given back
 * (`OfferAnswer.standing`). A call between two phones that both stand here passes twice, with one Call-ID.
 */
import { detached } from '../detached.ts';
import { endsOf } from '../exchange-keys.ts';
import { cseqOf } from '../identity.ts';
import type { Message } from '../message.ts';
import type { Side } from '../negotiation.ts';
import { type DialogId, OfferAnswer, type Standing } from '../offer-answer.ts';
import { CallMedia, type MediaPolicy } from './call-media.ts';
import type { Holdings } from './holdings.ts';
import type { Peer } from './phones.ts';
import type { Silence } from './silence.ts';

interface Call {
  readonly callId: string;
  readonly by: Side;
  readonly callerTag: string;
  readonly media: CallMedia;
  /** As it spoke last in this call, and when; the core's call has no phone before that has answered. */
  peer: Peer | undefined;
  heardMs: number;
}

export class CallBook {
  readonly negotiations = new OfferAnswer();
  readonly #holdings: Holdings;
  readonly #policy: () => MediaPolicy;
  readonly #calls = new Map<string, Call[]>();
  #count = 0;

  constructor(holdings: Holdings, policy: () => MediaPolicy) {
    this.#holdings = holdings;
    this.#policy = policy;
  }

  get count(): number {
    return this.#count;
  }

  /** Calls with at least one m= line in the tunnel. */
  get tunnelled(): number {
    return [...this.#calls.values()].flat().filter(({ media }) => media.usesTunnel).length;
  }

  /** Whether a message with this Call-ID is part of a call that there is. */
  knows(callId: string): boolean {
    return this.negotiations.standing(callId).length > 0;
  }

  /** The media of the call that this message is part of, made when it is new. */
  media(requester: Side, message: Message, now: number): CallMedia {
    const ends = endsOf(requester, message);
    return (this.#callOf(ends) ?? this.#begin(requester, ends, now)).media;
  }

  /** The phone has said something, maybe in a call; one whose offer is yet to come begins here. */
  heard(requester: Side, message: Message, peer: Peer, now: number): void {
    const ends = endsOf(requester, message);
    const begins = cseqOf(message)?.method === 'INVITE' && this.knows(ends.callId);
    const call = this.#callOf(ends) ?? (begins ? this.#begin(requester, ends, now) : undefined);
    if (call === undefined) return;
    call.peer = peer;
    call.heardMs = now;
  }

  /** Whether the phone of a call speaks by this connection. */
  needs(conn: number): boolean {
    return [...this.#calls.values()].flat().some(({ peer }) => {
      return peer?.transport === 'TCP' && peer.conn === conn;
    });
  }

  /**
   * Gives up those whose phone is gone; their Call-IDs. `sentMs` is when media came from what a key binds. Calls that have
   * nothing bound cost nothing.
   */
  abandon(silence: Silence, sentMs: ReadonlyMap<string, number>, now: number): string[] {
    const bound = [...this.#calls.values()].flat().flatMap((call) => {
      const keys = [...this.#holdings.keysOf(call.media)].filter((key) => sentMs.has(key));
      return keys.length === 0 ? [] : [{ call, keys }];
    });
    const gone = bound.filter(({ call, keys }) => {
      const seenMs = Math.max(call.heardMs, ...keys.map((key) => sentMs.get(key) ?? 0));
      return silence.goneAtMs(call.peer, seenMs) <= now;
    });
    for (const { call } of gone) {
      const { callId, by, callerTag } = call;
      const [phoneTag, coreTag] = by === 'phone' ? [callerTag, ''] : ['', callerTag];
      this.negotiations.abandon({ callId, requester: by, phoneTag, coreTag });
    }
    return gone.map(({ call }) => call.callId);
  }

  /** What came of the messages so far: what is not needed any more is let go. Calls that ended. */
  settle(now: number): string[] {
    const touched = new Set<string>();
    const { negotiations } = this;
    for (let one = negotiations.poll(); one !== undefined; one = negotiations.poll()) {
      touched.add(one.dialog.callId);
    }
    return [...touched].filter((callId) => this.#keepStanding(callId, now));
  }

  #begin(by: Side, ends: DialogId, now: number): Call {
    const callId = detached(ends.callId);
    const callerTag = detached(by === 'phone' ? ends.phoneTag : ends.coreTag);
    const media = new CallMedia(this.#policy());
    const call: Call = { callId, by, callerTag, media, peer: undefined, heardMs: now };
    this.#calls.set(callId, [...(this.#calls.get(callId) ?? []), call]);
    this.#count += 1;
    return call;
  }

  #callOf(ends: DialogId): Call | undefined {
    return this.#calls.get(ends.callId)?.find((call) => isOf(call, ends));
  }

  /** True when nothing of it is left. */
  #keepStanding(callId: string, now: number): boolean {
    const standing = this.negotiations.standing(callId);
    const left: Call[] = [];
    const calls = this.#calls.get(callId) ?? [];
    for (const call of calls) {
      const own = standing.filter(({ dialog }) => isOf(call, dialog));
      const holds = this.#holdings.isHolder(call.media);
      if (holds && this.#holdings.keep(call.media, keysOf(own), now)) call.media.forgetSaid();
      if (own.length > 0) left.push(call);
    }
    this.#count -= calls.length - left.length;
    if (left.length > 0) this.#calls.set(callId, left);
    else this.#calls.delete(callId);
    return calls.length > 0 && left.length === 0;
  }
}

function isOf({ by, callerTag }: Call, { phoneTag, coreTag }: DialogId): boolean {
  return callerTag === (by === 'phone' ? phoneTag : coreTag);
}

function keysOf(standing: readonly Standing[]): Set<string> {
  const keys = standing.flatMap(({ phone, core }) => [
    ...phone.flatMap((sdp) => CallMedia.keysOf('phone', sdp)),
    ...core.flatMap((sdp) => CallMedia.keysOf('core', sdp)),
  ]);
  return new Set(keys);
}
