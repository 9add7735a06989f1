/**
 * Messages that wait for the addresses of their media, and those of the same call behind them: they keep
 * their order, whichever way they go.
 *
 * Memory: MAX_WAITING messages, MAX_BEHIND of them in one call.
 */
export const MAX_WAITING = 512;
export const MAX_BEHIND = 32;
/** After that a message goes on without what it waited for. */
export const WAIT_MS = 2_000;

export interface Waiting<Job, Arrival> {
  readonly job: Job;
  readonly keys: Set<string>;
  readonly untilMs: number;
  readonly behind: Arrival[];
}

export class WaitingCalls<Job, Arrival> {
  /** By Call-ID; the one whose time is over first at the front. */
  readonly #calls = new Map<string, Waiting<Job, Arrival>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** False when there are too many. */
  wait(callId: string, job: Job, keys: Set<string>, now: number): boolean {
    if (this.#count >= MAX_WAITING) return false;
    this.#calls.set(callId, { job, keys, untilMs: now + WAIT_MS, behind: [] });
    this.#count += 1;
    return true;
  }

  /** The same call has one that waits: this one waits behind it. False when there are too many. */
  follow(callId: string, arrival: Arrival): boolean {
    const waiting = this.#calls.get(callId);
    if (waiting === undefined || waiting.behind.length >= MAX_BEHIND) return false;
    if (this.#count >= MAX_WAITING) return false;
    waiting.behind.push(arrival);
    this.#count += 1;
    return true;
  }

  of(callId: string): Waiting<Job, Arrival> | undefined {
    return this.#calls.get(callId);
  }

  take(callId: string): Waiting<Job, Arrival> | undefined {
    const waiting = this.#calls.get(callId);
    if (waiting === undefined) return undefined;
    this.#calls.delete(callId);
    this.#count -= 1 + waiting.behind.length;
    return waiting;
  }

  /** Calls that wait for nothing else than this, after it has been settled. */
  settled(key: string): string[] {
    const ready: string[] = [];
    for (const [callId, { keys }] of this.#calls) {
      if (keys.delete(key) && keys.size === 0) ready.push(callId);
    }
    return ready;
  }

  late(now: number): string[] {
    const late: string[] = [];
    for (const [callId, { untilMs }] of this.#calls) {
      if (untilMs > now) break;
      late.push(callId);
    }
    return late;
  }

  nextTimeout(): number {
    const [first] = this.#calls.values();
    return first?.untilMs ?? Number.POSITIVE_INFINITY;
  }
}
