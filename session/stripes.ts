/**
 * The connections that TEP-C wants to have: which are missing, and when to try again (tep-wire 7).
 * The first loss after a quiet time is answered at once, for a call is waiting; after that the delays
 * double (backoff.ts).
 */
import { u8 } from '../wire/bytes.ts';
import { type Backoff, backoffMs, RECONNECT } from './backoff.ts';
import type { RandomSource } from './tunnel-end.ts';

/** A connection that was good for so long is one whose loss is answered at once. */
const STABLE_MS = 5_000;
/** While TEP-S still keeps the bindings: they are gone after LIFETIME. */
const URGENT: Backoff = { firstMs: 250, mostMs: 4_000 };

interface Stripe {
  /** The connection that is it now; 0 when none. */
  conn: number;
  attempts: number;
  /** When to ask for a connection; Infinity: not wanted or there already. */
  connectAtMs: number;
}

export class Stripes {
  readonly #stripes: Stripe[];
  readonly #random: RandomSource;

  constructor(count: number, random: RandomSource) {
    this.#random = random;
    this.#stripes = Array.from({ length: count }, () => ({
      conn: 0,
      attempts: 0,
      connectAtMs: Number.POSITIVE_INFINITY,
    }));
  }

  /** Only the first one: it opens the tunnel, the others join. */
  wantFirst(now: number): void {
    this.#want(this.#stripes[0], now);
  }

  wantAll(now: number): void {
    for (const stripe of this.#stripes) this.#want(stripe, now);
  }

  /** No connection any more, but for the one that stripe `kept` may have. */
  wantNone(kept = -1): void {
    for (const [index, stripe] of this.#stripes.entries()) {
      if (index === kept) continue;
      stripe.conn = 0;
      stripe.attempts = 0;
      stripe.connectAtMs = Number.POSITIVE_INFINITY;
    }
  }

  /** The connection of this stripe is gone. `readyMs`: how long it had been ready. */
  lost(index: number, conn: number, readyMs: number, now: number, isUrgent = false): void {
    const stripe = this.#stripes[index];
    if (stripe === undefined || stripe.conn !== conn) return;
    stripe.conn = 0;
    if (readyMs >= STABLE_MS) stripe.attempts = 0;
    const waits = isUrgent ? URGENT : RECONNECT;
    const delay =
      readyMs >= STABLE_MS ? 0 : backoffMs(stripe.attempts, u8(this.#random(1), 0), waits);
    stripe.attempts += 1;
    stripe.connectAtMs = now + delay;
  }

  /** There may be a way where there was none: those that wait are tried now. */
  hurry(now: number): void {
    for (const stripe of this.#stripes) {
      if (stripe.connectAtMs === Number.POSITIVE_INFINITY) continue;
      stripe.attempts = 0;
      stripe.connectAtMs = now;
    }
  }

  /** The index of a stripe whose time has come, -1 when none. It is taken to be `conn` from now on. */
  due(conn: number, now: number): number {
    const index = this.#stripes.findIndex((stripe) => stripe.connectAtMs <= now);
    const stripe = this.#stripes[index];
    if (stripe !== undefined) {
      stripe.conn = conn;
      stripe.connectAtMs = Number.POSITIVE_INFINITY;
    }
    return index;
  }

  deadline(): number {
    return this.#stripes.reduce(
      (least, s) => Math.min(least, s.connectAtMs),
      Number.POSITIVE_INFINITY,
    );
  }

  #want(stripe: Stripe | undefined, now: number): void {
    if (stripe === undefined || stripe.conn !== 0) return;
    stripe.connectAtMs = Math.min(stripe.connectAtMs, now);
  }
}
