/**
 * Keep-alive of one flow on TCP or TLS, the end that pings (RFC 5626 clauses 3.5.1 and 4.4.1), and when a
 * lost flow is opened again (clause 4.5). Time is an argument, in milliseconds.
 *
 *     idle --due--> waiting --pong--> idle
 *                      \--10 s--> failed
 */
const PONG_WAIT_MS = 10_000;
/** Without Flow-Timer or consent of seconds (clause 4.4.1): between 95 and 120 s. */
const DEFAULT_MIN_MS = 95_000;
const DEFAULT_MAX_MS = 120_000;
/** Of a bound that the other end has set: between 80 and 100 %. */
const LEAST_PART = 0.8;

/** One number in [0, 1) at each call. */
export type Random = () => number;

export class FlowKeepAlive {
  readonly #random: Random;
  #seconds: number;
  #pingAtMs: number;
  #failAtMs = Number.POSITIVE_INFINITY;

  /** `seconds` is what the other end wants at most between pings; 0 = as we like. */
  constructor(seconds: number, random: Random, now: number) {
    this.#random = random;
    this.#seconds = seconds;
    this.#pingAtMs = now + this.#periodMs();
  }

  /** A new bound, from the next registration; a ping that is under way stays so. */
  setBound(seconds: number, now: number): void {
    this.#seconds = seconds;
    this.#pingAtMs = now + this.#periodMs();
  }

  /** What is due: send PING now, or give the flow up. To be asked whenever `nextTimeout` has come. */
  timeout(now: number): 'ping' | 'failed' | undefined {
    if (now >= this.#failAtMs) return 'failed';
    if (now < this.#pingAtMs) return undefined;
    this.#pingAtMs = now + this.#periodMs();
    if (this.#failAtMs === Number.POSITIVE_INFINITY) this.#failAtMs = now + PONG_WAIT_MS;
    return 'ping';
  }

  /** A pong that nobody waits for means nothing. */
  pong(): void {
    this.#failAtMs = Number.POSITIVE_INFINITY;
  }

  nextTimeout(): number {
    return Math.min(this.#pingAtMs, this.#failAtMs);
  }

  #periodMs(): number {
    const most = this.#seconds === 0 ? DEFAULT_MAX_MS : this.#seconds * 1_000;
    const least = this.#seconds === 0 ? DEFAULT_MIN_MS : most * LEAST_PART;
    return least + (most - least) * this.#random();
  }
}

const MAX_RECOVERY_MS = 1_800_000;
const BASE_ALL_FAILED_MS = 30_000;
const BASE_SOME_LEFT_MS = 90_000;

/**
 * How long to wait before a flow is opened again (clause 4.5): doubling with each failure in a row,
 * somewhere in the upper half. `failures` counts from 1; at once after the first break of a good flow
 * is the caller's to decide.
 */
export function recoveryDelayMs(failures: number, othersLeft: boolean, random: Random): number {
  const base = othersLeft ? BASE_SOME_LEFT_MS : BASE_ALL_FAILED_MS;
  const most = Math.min(MAX_RECOVERY_MS, base * 2 ** Math.min(failures, 16));
  return most * (0.5 + 0.5 * random());
}
