/**
 * In which order ways to the core are tried (TR 33.830 4.8, 8.3): one more whenever those under way
 * fail or keep silent, until one is known to work because something came back by it. When that one breaks
 * it is tried again first, and a few times more beside the others: a core that is started again answers
 * soon by the way that worked, and as a rule by no other. When none works, all are tried again after a pause
 * that grows (RFC 5626 clause 4.5). Time is an argument.
 */
import { type Random, recoveryDelayMs } from '../flow.ts';

/** Of the pauses after the first rounds in vain, which RFC 5626 would have 30 s and longer. */
const FIRST_PAUSE_MS = 500;
/** Attempts beside the others, after pauses that double: 8 to 16 s in all, and no phone gives a request up before 32 s. */
const MAX_RETURNS = 5;

/**
 * After a way was lost: another one at once, wait for those under way, or a pause after a round in vain.
 * `returnMs`: it had worked before, and is tried again after so long besides (`back`).
 */
export type AfterLoss =
  | { readonly type: 'next' | 'others'; readonly returnMs?: number }
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
  /** The one that broke after it had worked, and how often it was to be tried again since. */
  #broken: Rung | undefined;
  #returns = 0;
  #isToReturn = false;

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

  /** The one that worked before, under way again; undefined: something else has come of it. */
  back(): Rung | undefined {
    const rung = this.#isToReturn ? this.#broken : undefined;
    this.#isToReturn = false;
    if (rung !== undefined) this.#underWay.add(rung);
    return rung;
  }

  /** Something came back; the others under way are of no interest any more. */
  proven(rung: Rung): void {
    this.#proven = rung;
    this.#rounds = 0;
    this.#underWay.clear();
    this.#forget();
  }

  /** The rung could not be had, was silent, or broke. */
  failed(rung: Rung): AfterLoss {
    this.#underWay.delete(rung);
    if (this.#proven === rung) {
      this.#begin([rung, ...this.#rungs.filter((one) => one !== rung)]);
      this.#broken = rung;
      return { type: 'next' };
    }
    const returning = this.#returning(rung);
    if (this.#tried < this.#order.length) return { type: 'next', ...returning };
    if (this.#underWay.size > 0 || this.#isToReturn) return { type: 'others', ...returning };
    this.#begin(this.#rungs);
    this.#rounds += 1;
    const most = recoveryDelayMs(this.#rounds, false, this.#random);
    return { type: 'pause', ms: Math.min(this.#quickMs(this.#rounds), most) };
  }

  /** Another network: what was learnt does not hold there. */
  reset(): void {
    this.#begin(this.#rungs);
    this.#rounds = 0;
  }

  #returning(rung: Rung): { readonly returnMs?: number } {
    if (rung !== this.#broken || this.#returns === MAX_RETURNS) return {};
    this.#isToReturn = true;
    this.#returns += 1;
    return { returnMs: this.#quickMs(this.#returns - 1) };
  }

  #quickMs(doublings: number): number {
    return FIRST_PAUSE_MS * 2 ** Math.min(doublings, 16) * (0.5 + 0.5 * this.#random());
  }

  #forget(): void {
    this.#broken = undefined;
    this.#returns = 0;
    this.#isToReturn = false;
  }

  #begin(order: readonly Rung[]): void {
    this.#forget();
    this.#order = order;
    this.#tried = 0;
    this.#underWay.clear();
    this.#proven = undefined;
  }
}
