/**
 * Whether a tunnel can be had, and when something else is to be tried.
 *
 * Between a loss and the end of LIFETIME the call is to survive: that is no outage yet. An attempt to
 * open that failed, or lasts, is one; it ends with the next tunnel, or when none is wanted any more.
 */
import { u8 } from '../wire/bytes.ts';
import { type Backoff, backoffMs } from './backoff.ts';
import type { RandomSource } from './tunnel-end.ts';

/** How long opening may take before it is called an outage. */
const OPENING_MS = 5_000;
/**
 * How long a lost tunnel is sought at its own TEP-S before another one is tried: that changes the
 * public addresses, so not at once; but nobody waits for a call much longer.
 */
const FAIL_OVER_MS = 10_000;
/** Between attempts after a refusal, where nobody's packets make one. */
const RETRY: Backoff = { firstMs: 4_000, mostMs: 60_000 };

const NEVER = Number.POSITIVE_INFINITY;

export interface ReachOptions {
  readonly random: RandomSource;
  changed(isOut: boolean, now: number): void;
}

export class Reach {
  isOut = false;
  /** See ClientOptions. */
  servers = 1;
  keepTrying = false;
  /** When it is to be given up that the TEP-S which has the tunnel comes back. */
  failOverMs = NEVER;
  /** When to open again. */
  retryAtMs = NEVER;
  readonly #options: ReachOptions;
  /** When an outage begins unless a tunnel is there before. */
  #outageMs = NEVER;
  /** How many TEP-S refused since the tunnel is being opened. */
  #refusals = 0;
  /** How often opening failed for good since it last succeeded. */
  #failures = 0;

  constructor(options: ReachOptions) {
    this.#options = options;
  }

  /** Whether a tunnel is sought though nobody may need it. */
  get isSought(): boolean {
    return this.isOut && this.keepTrying;
  }

  deadline(): number {
    return Math.min(this.#outageMs, this.failOverMs, this.retryAtMs);
  }

  timeout(now: number): void {
    if (now >= this.#outageMs) this.#set(true, now);
  }

  opening(now: number): void {
    this.#refusals = 0;
    this.retryAtMs = NEVER;
    this.failOverMs = NEVER;
    this.#expect(now + OPENING_MS);
  }

  /** No TEP-S could be reached. */
  unreached(now: number): void {
    this.#set(true, now);
  }

  /** A TEP-S refused; whether that was the last one to ask. */
  turnedAway(): boolean {
    this.#refusals += 1;
    return this.#refusals >= this.servers;
  }

  /** Opening, or what came instead, failed for good. */
  refused(now: number): void {
    this.#set(true, now);
    this.failOverMs = NEVER;
    if (!this.keepTrying) return;
    const octet = u8(this.#options.random(1), 0);
    this.retryAtMs = now + backoffMs(this.#failures, octet, RETRY);
    this.#failures += 1;
  }

  lost(lifetimeMs: number, now: number): void {
    this.#expect(now + lifetimeMs);
    if (this.servers > 1) this.failOverMs = now + Math.min(FAIL_OVER_MS, lifetimeMs);
  }

  admitted(now: number): void {
    this.#failures = 0;
    this.failOverMs = NEVER;
    this.#set(false, now);
  }

  /** No tunnel is wanted. */
  closed(now: number): void {
    this.failOverMs = NEVER;
    this.retryAtMs = NEVER;
    this.#set(false, now);
  }

  #expect(atMs: number): void {
    if (!this.isOut) this.#outageMs = Math.min(this.#outageMs, atMs);
  }

  #set(isOut: boolean, now: number): void {
    this.#outageMs = NEVER;
    if (isOut === this.isOut) return;
    this.isOut = isOut;
    this.#options.changed(isOut, now);
  }
}
