/**
 * In which order ways to the core are tried (TR 33.830 4.8, 8.3): each until one is
 * known to work, because something came back by it. When that one breaks it is tried again first; when
 * none works, all are tried again after a pause that grows (RFC 5626 clause 4.5). Time is an argument.
 */
import { type Random, recoveryDelayMs } from '../flow.ts';

/** Of the pauses after the first rounds in vain, which RFC 5626 would have 30 s and longer. */
const FIRST_PAUSE_MS = 500;

export class Ladder<Rung> {
  readonly #rungs: readonly Rung[];
  readonly #random: Random;
  #order: readonly Rung[];
  #at = 0;
  #rounds = 0;
  #isProven = false;

  constructor(rungs: readonly Rung[], random: Random) {
    if (rungs.length === 0) throw new RangeError('a ladder without a rung');
    this.#rungs = rungs;
    this.#random = random;
    this.#order = rungs;
  }

  /** The one to try, or in use. */
  get rung(): Rung {
    const rung = this.#order[this.#at];
    if (rung === undefined) throw new RangeError('beside the ladder');
    return rung;
  }

  get isProven(): boolean {
    return this.#isProven;
  }

  /** Whether there is another one to try when this one is silent. */
  get hasOthers(): boolean {
    return this.#rungs.length > 1;
  }

  /** Something came back. */
  proven(): void {
    this.#isProven = true;
    this.#rounds = 0;
  }

  /**
   * The rung could not be had, was silent, or broke: how long to wait before the next attempt, which is
   * `rung` then. A round in vain costs a pause.
   */
  failed(): { readonly waitMs: number; readonly roundIsOver: boolean } {
    if (this.#isProven) {
      const good = this.rung;
      this.#order = [good, ...this.#rungs.filter((rung) => rung !== good)];
      this.#at = 0;
      this.#isProven = false;
      return { waitMs: 0, roundIsOver: false };
    }
    this.#at += 1;
    if (this.#at < this.#order.length) return { waitMs: 0, roundIsOver: false };
    this.#order = this.#rungs;
    this.#at = 0;
    this.#rounds += 1;
    const quick = FIRST_PAUSE_MS * 2 ** Math.min(this.#rounds, 16) * (0.5 + 0.5 * this.#random());
    const waitMs = Math.min(quick, recoveryDelayMs(this.#rounds, false, this.#random));
    return { waitMs, roundIsOver: true };
  }

  /** Another network: what was learnt does not hold there. */
  reset(): void {
    this.#order = this.#rungs;
    this.#at = 0;
    this.#rounds = 0;
    this.#isProven = false;
  }
}
