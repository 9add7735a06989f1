/**
 * Asks the media gateway what the proxies do not tell: at the start, which calls there are (we were not
 * there when they began), and from then on whether those are still there that nothing was heard of, for a
 * gateway that was restarted or gave a call up tells nobody.
 */
import { setTimeout } from 'node:timers/promises';
import type { NgAddress } from '../../config/address-kinds.ts';
import type { Plain } from '../../framing/ng/bencode.ts';
import { type NgMessage, stringOf } from '../../framing/ng/message.ts';
import { now } from '../../io/clock.ts';
import { ask } from './ask.ts';
import type { Calls } from './calls.ts';
import { callsIn, partiesIn } from './remembered.ts';

const TURN_MS = 1_000;
const ANSWER_MS = 2_000;
/** Every so many turns something is asked, to know whether anybody is there. */
const PING_TURNS = 10;
/** A call that was heard of since then is there. */
const SILENT_MS = 60_000;
const QUERIES_PER_TURN = 50;
/** By UDP an answer with more calls may be too long to come at all. */
const LIST_LIMITS = [16_384, 1_000];

export interface SurveyParts {
  readonly gateway: NgAddress;
  readonly calls: Calls;
  /** Whether this is a public address that TEP-S gives to UEs. */
  readonly isOurs: (address: Uint8Array) => boolean;
  /** The gateway answers, or does not any more. */
  readonly answers: (yes: boolean) => void;
  /** How many calls there were at the start. */
  readonly remembered: (calls: number) => void;
}

export class Survey {
  readonly #parts: SurveyParts;
  readonly #abort = new AbortController();
  readonly #ended: Promise<void>;

  constructor(parts: SurveyParts) {
    this.#parts = parts;
    this.#ended = this.#run();
  }

  /** Resolves when the last question is over. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    let isLearnt = false;
    for (let turn = 0; !this.#isOver(); turn++) {
      if (!isLearnt) isLearnt = await this.#learn();
      else await this.#look();
      if (turn % PING_TURNS === 0 && isLearnt) await this.#ask({ command: 'ping' });
      await setTimeout(TURN_MS, undefined, { signal: this.#abort.signal }).catch(() => {});
    }
  }

  async #learn(): Promise<boolean> {
    for (const limit of LIST_LIMITS) {
      const answer = await this.#ask({ command: 'list', limit });
      if (answer === undefined) continue;
      const calls = callsIn(answer);
      for (const callId of calls) if (!this.#isOver()) await this.#query(callId);
      this.#parts.remembered(calls.length);
      return true;
    }
    return false;
  }

  async #look(): Promise<void> {
    for (const callId of this.#parts.calls.doubtful(now() - SILENT_MS, QUERIES_PER_TURN)) {
      if (this.#isOver() || !(await this.#query(callId))) return;
    }
  }

  /** Whether there was an answer. */
  async #query(callId: string): Promise<boolean> {
    const { calls, isOurs } = this.#parts;
    const askedMs = now();
    const before = calls.find(callId);
    const answer = await this.#ask({ command: 'query', 'call-id': Buffer.from(callId, 'latin1') });
    if (answer === undefined) return false;
    // Somebody has ended it meanwhile; the gateway may keep it for a while (delete-delay).
    if (before !== undefined && calls.find(callId) !== before) return true;
    if (stringOf(answer, 'result') === 'ok') {
      calls.remembered(callId, partiesIn(answer, isOurs), now());
    } else if (!calls.heardSince(callId, askedMs)) {
      calls.forget(callId, 'gone');
    }
    return true;
  }

  async #ask(dictionary: Readonly<Record<string, Plain>>): Promise<NgMessage | undefined> {
    const { gateway, answers } = this.#parts;
    const answer = await ask(gateway, new Map(Object.entries(dictionary)), ANSWER_MS);
    if (!this.#isOver()) answers(answer !== undefined);
    return answer;
  }

  #isOver(): boolean {
    return this.#abort.signal.aborted;
  }
}
