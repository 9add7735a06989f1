/**
 * How much of what can wait (video and all below it) is under way in a tunnel at once, all connections
 * together. TCP fills the queue before the narrowest link of a path until it overflows, and audio waits
 * behind that; so the rest waits with us, where whole frames can be dropped and audio goes first.
 *
 * The sign of a queue is a round trip longer than the least that was seen. Once in a round trip the budget
 * moves half of the way to what makes the queue STANDING_MS long, as FAST TCP does (Wei et al. 2006): with
 * w octets under way the path carries w / rtt, and w · (least + STANDING_MS) / rtt is what it carries
 * with that queue. It grows only when it was used up.
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

export class PathBudget {
  #octets = FIRST_OCTETS;
  #isUsedUp = false;
  #judgedMs = Number.NEGATIVE_INFINITY;

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
    if (underWay === 0 || underWay + length <= this.#octets) return true;
    this.#isUsedUp = true;
    return false;
  }

  /** The system has told something of `c`, which is one of `ready`. */
  learnt(c: Connection, ready: readonly Connection[], now: number): void {
    const { rttMs } = c.carrier;
    if (rttMs === undefined || now < this.#judgedMs + rttMs) return;
    this.#judgedMs = now;
    let leastMs = rttMs;
    for (const { carrier } of ready) leastMs = Math.min(leastMs, carrier.leastRttMs);
    const ratio = Math.min(MOST_RATIO, (leastMs + STANDING_MS) / rttMs);
    if (ratio < 1 || this.#isUsedUp) this.#move(ratio);
    this.#isUsedUp = false;
  }

  #move(ratio: number): void {
    const wanted = (this.#octets * (1 + ratio)) / 2;
    this.#octets = Math.min(MOST_OCTETS, Math.max(LEAST_OCTETS, wanted));
  }
}
