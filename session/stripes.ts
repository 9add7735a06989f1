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

/** Between attempts to replace a connection that stalls: no answer could be here sooner. The pauses double later. */
const REPLACE_MS = 100;
const REPLACE_ROUND_TRIPS = 1.5;
const QUICK_REPLACEMENTS = 28;
const MOST_REPLACE_MS = 4_000;

interface Stripe {
  /** The connection that is it now; 0 when none. */
  conn: number;
  attempts: number;
  /** Connections that were to take the place of one that stalls, and when the next one may. */
  replacements: number;
  replaceAtMs: number;
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
      replacements: 0,
      replaceAtMs: 0,
      connectAtMs: Number.POSITIVE_INFINITY,
    }));
  }

  /** Only the first one: it opens the tunnel, the others join. */
  wantFirst(now: number): void {
    this.#want(this.#stripes[0], now);
  }

  /** So many, the first ones. */
  want(count: number, now: number): void {
    for (const stripe of this.#stripes.slice(0, count)) this.#want(stripe, now);
  }

  /** No more than so many: the caller ends those that there are. */
  wantAtMost(count: number): void {
    for (const stripe of this.#stripes.slice(count)) forget(stripe);
  }

  /** No connection any more, but for the one that stripe `kept` may have. */
  wantNone(kept = -1): void {
    for (const [index, stripe] of this.#stripes.entries()) {
      if (index !== kept) forget(stripe);
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

  /** The connection that is the stripe, or is to be it; 0: none. */
  connOf(index: number): number {
    return this.#stripes[index]?.conn ?? 0;
  }

  /**
   * The connection of this stripe does not get on: another one is asked for beside it, and again after a
   * pause. Gives the number of the connection that is the stripe until then: the stalled one, or an
   * attempt to replace it that has taken too long. 0: not yet.
   */
  replace(index: number, rttMs: number, now: number): number {
    const stripe = this.#stripes[index];
    if (stripe === undefined || stripe.conn === 0 || now < stripe.replaceAtMs) return 0;
    const { conn } = stripe;
    if (now > stripe.replaceAtMs + STABLE_MS) stripe.replacements = 0;
    const doublings = Math.max(0, stripe.replacements - QUICK_REPLACEMENTS);
    const pauseMs = Math.max(REPLACE_MS, REPLACE_ROUND_TRIPS * rttMs) * 2 ** doublings;
    stripe.replaceAtMs = now + Math.min(MOST_REPLACE_MS, pauseMs);
    stripe.replacements += 1;
    stripe.conn = 0;
    stripe.connectAtMs = now;
    return conn;
  }

  /** The connection that was to be this stripe is given up for another one, which is asked for at once. */
  again(index: number, conn: number, now: number): void {
    const stripe = this.#stripes[index];
    if (stripe === undefined || stripe.conn !== conn) return;
    stripe.conn = 0;
    stripe.connectAtMs = now;
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

function forget(stripe: Stripe): void {
  stripe.conn = 0;
  stripe.attempts = 0;
  stripe.connectAtMs = Number.POSITIVE_INFINITY;
}
