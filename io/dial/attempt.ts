/**
 * One attempt to connect under its time limit, step by step. When the time is over, or nobody wants
 * the connection any more, the step under way is undone and everybody who waits gets the fault.
 */
import { type IoFault, isIoFault } from '../io-fault.ts';
import type { DialFault, DialStage } from './types.ts';

export interface Step {
  readonly stage: DialStage;
  /** Names the step in a sentence: `connecting to tep.example:80`. */
  readonly doing: string;
  /** What may be the matter when it takes too long, and what to do. */
  readonly whenSlow: string;
}

/** Begins a step, which calls `finish` once; gives what undoes it before that. */
type Start<T> = (finish: (outcome: T | IoFault) => void) => () => void;

export class Attempt {
  readonly #timeoutMs: number;
  readonly #timer: NodeJS.Timeout;
  #step: Step = { stage: 'resolve', doing: 'connecting', whenSlow: 'try again' };
  #interrupt: ((fault: DialFault) => void) | undefined;
  #fault: DialFault | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#timer = setTimeout(() => this.#timeOver(), timeoutMs);
  }

  /** Why nothing will come of it; undefined while something may. */
  get fault(): DialFault | undefined {
    return this.#fault;
  }

  step<T extends object>(step: Step, start: Start<T>): Promise<T | DialFault> {
    if (this.#fault !== undefined) return Promise.resolve(this.#fault);
    this.#step = step;
    return new Promise((resolve) => {
      let isOver = false;
      let undo = () => {};
      const finish = (outcome: T | IoFault) => {
        if (isOver) return;
        isOver = true;
        this.#interrupt = undefined;
        resolve(isIoFault(outcome) ? { stage: step.stage, ...outcome } : outcome);
      };
      this.#interrupt = (fault) => {
        undo();
        finish(fault);
      };
      undo = start(finish);
    });
  }

  abandon(): void {
    this.#giveUp('ECANCELED', `abandoned while ${this.#step.doing}`);
  }

  /** Nothing is undone any more. */
  over(): void {
    clearTimeout(this.#timer);
  }

  #timeOver(): void {
    const { doing, whenSlow } = this.#step;
    this.#giveUp('ETIMEDOUT', `${doing}: no result in ${this.#timeoutMs} ms; ${whenSlow}`);
  }

  #giveUp(code: string, text: string): void {
    this.over();
    this.#fault ??= { type: 'io-fault', stage: this.#step.stage, code, text };
    this.#interrupt?.(this.#fault);
  }
}
