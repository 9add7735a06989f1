/**
 * In which order ways to the core are tried (TR 33.830 4.8, 8.3): one more whenever those under way
 * fail or keep silent, until one is known to work because something came back by it. When that one breaks
 * it is tried again first; when none works, all are tried again after a pause that grows (RFC 5626 clause
 * 4.5). Time is an argument.
 */
import { type Random, recoveryDelayMs } from '../flow.ts';

/** Of the pauses after the first rounds in vain, which RFC 5626 would have 30 s and longer. */
const FIRST_PAUSE_MS = 500;

/** After a way was lost: another one at once, wait for those under way, or a pause after a round in vain. */
export type AfterLoss =
  | { readonly type: 'next' }
  | { readonly type: 'others' }
  | { readonly type: 'pause'; readonly ms: number };

export class Ladder<Rung> {
  readonly #rungs: readonly Rung[];
  readonly #random: Random;
  #order: readonly Rung[];
  /** How many of `#order` were tried in this round. */
  #tried = 0;
  readonly #underWay = new Set<Rung>();
  #proven: Rung | undefined;
  #rounds = 0;

  constructor(rungs: readonly Rung[], random: Random) {
    this.#rungs = rungs;
    this.#random = random;
    this.#order = rungs;
  }

  get isProven(): boolean {
    return this.#proven !== undefined;
  }

  /** Whether there is another one to try when this one is silent. */
  get hasOthers(): boolean {
    return this.#rungs.length > 1;
  }

  /** The next one to try, which is under way from now on; undefined: there is none in this round. */
  next(): Rung | undefined {
    const rung = this.#order[this.#tried];
    if (rung === undefined || this.isProven) return undefined;
    this.#tried += 1;
    this.#underWay.add(rung);
    return rung;
  }

  /** Something came back; the others under way are of no interest any more. */
  proven(rung: Rung): void {
    this.#proven = rung;
    this.#rounds = 0;
    this.#underWay.clear();
  }

  /** The rung could not be had, was silent, or broke. */
  failed(rung: Rung): AfterLoss {
    this.#underWay.delete(rung);
    if (this.#proven === rung) {
      this.#begin([rung, ...this.#rungs.filter((one) => one !== rung)]);
      return { type: 'next' };
    }
    if (this.#tried < this.#order.length) return { type: 'next' };
    if (this.#underWay.size > 0) return { type: 'others' };
    this.#begin(this.#rungs);
    this.#rounds += 1;
    const quick = FIRST_PAUSE_MS * 2 ** Math.min(this.#rounds, 16) * (0.5 + 0.5 * this.#random());
    return {
      type: 'pause',
      ms: Math.min(quick, recoveryDelayMs(this.#rounds, false, this.#random)),
    };
  }

  /** Another network: what was learnt does not hold there. */
  reset(): void {
    this.#begin(this.#rungs);
    this.#rounds = 0;
  }

  #begin(order: readonly Rung[]): void {
    this.#order = order;
    this.#tried = 0;
    this.#underWay.clear();
    this.#proven = undefined;
  }
}
