/**
 * How many connections a tunnel is to have. On a clean path one: more cost system calls and ports of
 * a NAT, and give nothing. Where segments get lost, what follows a lost one on its connection waits a
 * round trip for it; so the packets are spread, but no thinner than PER_STRIPE a second: TCP notices a
 * loss by what arrives behind it (RFC 8985 6.2), and where nothing does it waits for its timer.
 *
 * A call that begins does not wait for a second to be counted: what comes in a fifth of it counts, if it
 * fills the connections.
 */
const PER_STRIPE = 100;
/** The path is clean when no loss was seen for so long. */
const QUIET_MS = 30_000;
/** Over what time packets are counted. */
const PERIOD_MS = 1_000;
const SHORT_PERIOD_MS = 200;
/** Key frames and pauses make no connections come and go. */
const KEEP_MS = 10_000;

export class StripeCount {
  readonly #least: number;
  readonly #most: number;
  readonly #rate: Rate;
  readonly #rush: Rate;
  #lossMs = Number.NEGATIVE_INFINITY;
  #kept: number;
  #keptUntilMs = Number.NEGATIVE_INFINITY;

  constructor(least: number, most: number, now: number) {
    this.#least = least;
    this.#most = most;
    this.#kept = least;
    this.#rate = new Rate(PERIOD_MS, now);
    this.#rush = new Rate(SHORT_PERIOD_MS, now);
  }

  /** A segment was lost, whichever way. */
  lossSeen(now: number): void {
    this.#lossMs = now;
  }

  /** `records`: how many have passed since the start, the way that has more. */
  wanted(records: number, now: number): number {
    const useful = Math.max(
      Math.ceil(this.#rate.perSecond(records, now) / PER_STRIPE),
      Math.floor(this.#rush.perSecond(records, now) / PER_STRIPE),
    );
    if (now >= this.#lossMs + QUIET_MS) {
      this.#keptUntilMs = now;
      return this.#least;
    }
    if (useful >= this.#kept || now >= this.#keptUntilMs) {
      this.#kept = useful;
      this.#keptUntilMs = now + KEEP_MS;
    }
    return Math.max(this.#least, Math.min(this.#most, this.#kept));
  }
}

/** Of the last whole period. */
class Rate {
  readonly #periodMs: number;
  #sinceMs: number;
  #records = 0;
  #perSecond = 0;

  constructor(periodMs: number, now: number) {
    this.#periodMs = periodMs;
    this.#sinceMs = now;
  }

  perSecond(records: number, now: number): number {
    const ms = now - this.#sinceMs;
    if (ms >= this.#periodMs) {
      this.#perSecond = ((records - this.#records) * 1_000) / ms;
      this.#records = records;
      this.#sinceMs = now;
    }
    return this.#perSecond;
  }
}
