/**
 * How much of what can wait (video and all below it) is under way in a tunnel at once, all connections
 * together. TCP fills the queue before the narrowest link of a path until it overflows, and audio waits
 * behind that; so the rest waits with us, where whole frames can be dropped and audio goes first.
 *
 * The sign of a queue is a round trip longer than the least that was seen. Once in a round trip the budget
 * moves half of the way to what makes the queue STANDING_MS long, as FAST TCP does (Wei et al. 2006): with
 * w octets under way the path carries w / rtt, and w · (least + STANDING_MS) / rtt is what it carries
 * with that queue. It grows only when it was used up.
 *
 * The least is that of the last seconds, for a way may become longer (carrier.ts). So that our own queue is
 * never all of what is remembered, it is let run empty for some round trips where it has stood for
 * DRAIN_EVERY_MS, as BBR does.
 */
import type { Connection } from '../connection.ts';

/** Short beside the 150 ms of audio, long enough that the link never runs dry. */
const STANDING_MS = 30;
const FIRST_OCTETS = 16_384;
/** What 500 kbit/s carry in 130 ms; also where somebody else keeps the queue full, video goes on. */
const LEAST_OCTETS = 8_192;
const MOST_OCTETS = 1_048_576;
/** At most doubled at once. */
const MOST_RATIO = 2;

/** Well within the time for which a round trip is remembered. */
const DRAIN_EVERY_MS = 5_000;
/** A smoothed round trip follows the true one in about as many. */
const DRAIN_ROUND_TRIPS = 5;
const DRAIN_LEAST_MS = 200;
/** Of what the path holds without a queue: less, or none would run empty. */
const DRAIN_RATIO = 0.75;
/** So much above the least there is no queue to speak of. */
const EMPTY_MS = 3;

export class PathBudget {
  #octets = FIRST_OCTETS;
  /** Of them, while the queue is to run empty. */
  #share = 1;
  #isUsedUp = false;
  #judgedMs = Number.NEGATIVE_INFINITY;
  /** When there was no queue last. */
  #emptyMs = Number.NEGATIVE_INFINITY;
  #drainsUntilMs = Number.NEGATIVE_INFINITY;
  /** Until then the smoothed round trip is that of the empty queue still. */
  #settlesUntilMs = Number.NEGATIVE_INFINITY;

  get octets(): number {
    return this.#octets;
  }

  /** Whether so much more may be under way; a packet of any length while nothing is. */
  allows(ready: readonly Connection[], length: number): boolean {
    let underWay = 0;
    for (const { carrier, queue } of ready) {
      // Of a connection that nothing is known of, the allowance has to do (carrier.ts).
      if (carrier.rttMs !== undefined) underWay += carrier.outstanding + queue.length;
    }
    return this.fits(underWay, length);
  }

  fits(underWay: number, length: number): boolean {
    if (underWay === 0 || underWay + length <= this.#octets * this.#share) return true;
    this.#isUsedUp = true;
    return false;
  }

  /** The system has told something of `c`, which is one of `ready`. */
  learnt(c: Connection, ready: readonly Connection[], now: number): void {
    const { rttMs } = c.carrier;
    if (rttMs === undefined) return;
    let leastMs = rttMs;
    for (const { carrier } of ready) leastMs = Math.min(leastMs, carrier.leastRttMs);
    this.judge(rttMs, leastMs, now);
  }

  /** How long a round trip is, and the least of late. */
  judge(rttMs: number, leastMs: number, now: number): void {
    if (now < this.#judgedMs + rttMs) return;
    this.#judgedMs = now;
    this.#drain(leastMs, rttMs, now);
    if (now < this.#settlesUntilMs) return;
    const ratio = Math.min(MOST_RATIO, (leastMs + STANDING_MS) / rttMs);
    if (ratio < 1 || this.#isUsedUp) this.#move(ratio);
    this.#isUsedUp = false;
  }

  #drain(leastMs: number, rttMs: number, now: number): void {
    if (now >= this.#drainsUntilMs) this.#share = 1;
    if (rttMs <= leastMs + EMPTY_MS || this.#emptyMs < 0) this.#emptyMs = now;
    if (now < this.#settlesUntilMs || now < this.#emptyMs + DRAIN_EVERY_MS) return;
    const ms = Math.max(DRAIN_LEAST_MS, DRAIN_ROUND_TRIPS * rttMs);
    this.#emptyMs = now;
    this.#drainsUntilMs = now + ms;
    this.#settlesUntilMs = now + 2 * ms;
    this.#share = DRAIN_RATIO * (leastMs / rttMs);
  }

  #move(ratio: number): void {
    const wanted = (this.#octets * (1 + ratio)) / 2;
    this.#octets = Math.min(MOST_OCTETS, Math.max(LEAST_OCTETS, wanted));
  }
}
