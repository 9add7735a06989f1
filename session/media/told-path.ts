/**
 * How much may be under way where the system tells nothing of its connections (no koffi, other systems): by the
 * answers of the peer to TEP-STATS (tep-wire 7). A question goes behind all that its connection was given before, so
 * its answer says that all of that has arrived, and how long that took, the buffers of the system included. They
 * would hold megabytes, which nobody could drop any more.
 */
import { RecentLeast } from '../recent-least.ts';
import { MEDIA_CLASSES, type MediaClass } from './classes.ts';
import { PathBudget } from './path-budget.ts';

/** How long a round trip is remembered (carrier.ts). */
const LEAST_RTT_MS = 10_000;
/** What audio may have under way in all, by the budget: it is not to wait for an answer behind video. */
const AUDIO_SHARE = 2;
const STEPS = 4;

export class ToldPath {
  /** Something waits for the next answer. */
  isHeldBack = false;
  readonly #budget = new PathBudget();
  readonly #least = new RecentLeast(LEAST_RTT_MS);
  /** Octets given to connections since the start that are not under way any more. */
  #arrived = 0;

  /** Whether so much more may go after `given` octets; what is less than audio in amount goes in any case. */
  allows(mediaClass: MediaClass, given: number, length: number): boolean {
    if (mediaClass < MEDIA_CLASSES.AUDIO) return true;
    const share = mediaClass === MEDIA_CLASSES.AUDIO ? AUDIO_SHARE : 1;
    if (this.#budget.fits((given - this.#arrived) / share, length)) return true;
    this.isHeldBack = true;
    return false;
  }

  /** So often in a budget it is asked what has arrived: the path is not to run dry between two answers. */
  get stepOctets(): number {
    return this.#budget.octets / STEPS;
  }

  /** Of the octets given so many have arrived. */
  answered(arrived: number, rttMs: number, now: number): void {
    this.isHeldBack = false;
    this.#arrived = arrived;
    this.#least.see(rttMs, now);
    this.#budget.judge(rttMs, this.#least.value, now);
  }
}
