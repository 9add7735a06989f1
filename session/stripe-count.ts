/**
 * How many connections a tunnel is to have. On a clean path one: more cost system calls and ports of
 * a NAT, and give nothing. Where segments get lost, what follows a lost one on its connection waits a
 * round trip for it; so the packets are spread, but no thinner than PER_STRIPE a second: TCP notices a
 * loss by what arrives behind it (RFC 8985 6.2), and where nothing does it waits for its timer.
 */
const PER_STRIPE = 100;
/** The path is clean when no loss was seen for so long. */
const QUIET_MS = 30_000;
/** Over what time packets are counted. */
const PERIOD_MS = 1_000;

export class StripeCount {
  readonly #least: number;
  readonly #most: number;
  #lossMs = Number.NEGATIVE_INFINITY;
  #countedMs: number;
  #records = 0;
  #perSecond = 0;

  constructor(least: number, most: number, now: number) {
    this.#least = least;
    this.#most = most;
    this.#countedMs = now;
  }

  /** A connection shows the loss of a segment. */
  lossSeen(now: number): void {
    this.#lossMs = now;
  }

  /** `records`: how many have passed since the start, the way that has more. */
  wanted(records: number, now: number): number {
    const ms = now - this.#countedMs;
    if (ms >= PERIOD_MS) {
      this.#perSecond = ((records - this.#records) * 1_000) / ms;
      this.#records = records;
      this.#countedMs = now;
    }
    if (now >= this.#lossMs + QUIET_MS) return this.#least;
    const useful = Math.ceil(this.#perSecond / PER_STRIPE);
    return Math.max(this.#least, Math.min(this.#most, useful));
  }
}
