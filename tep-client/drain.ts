/**
 * The end of an agent that does not end its calls: resolves when nothing is bound and the sidecar has no
 * call, when no media have passed for a while, or when its patience is over.
 */
import type { Counters } from '../session/counters.ts';

/** Longer than any pause of RTP with RTCP (RFC 3550 6.2: a report at least each 5 s). */
const QUIET_MS = 6_000;
const MOST_MS = 30_000;
const LOOK_MS = 500;

export interface Drained {
  readonly counters: Counters;
  /** Something is bound, or a call lasts. */
  readonly isBusy: () => boolean;
}

export class Drain {
  readonly done: Promise<void>;
  readonly #drained: Drained;
  readonly #timer: NodeJS.Timeout;
  #passed: number;
  #quietMs = 0;
  #waitedMs = 0;
  #resolve: () => void = () => {};

  constructor(drained: Drained) {
    this.#drained = drained;
    this.#passed = this.#count();
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    if (!drained.isBusy()) this.close();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#resolve();
  }

  #look(): void {
    const passed = this.#count();
    this.#quietMs = passed === this.#passed ? this.#quietMs + LOOK_MS : 0;
    this.#waitedMs += LOOK_MS;
    this.#passed = passed;
    const isOver = this.#quietMs >= QUIET_MS || this.#waitedMs >= MOST_MS;
    if (isOver || !this.#drained.isBusy()) this.close();
  }

  #count(): number {
    const { sentRecords, receivedRecords } = this.#drained.counters;
    return sentRecords + receivedRecords;
  }
}
