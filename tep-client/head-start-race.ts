/**
 * Attempts to connect to one of several servers: one after the other, the next one also when those
 * before are slow. The first that is there wins.
 */
import type { Duplex } from 'node:stream';
import type { Dial, DialFault, ServerTarget } from '../io/dial/types.ts';
import { isIoFault } from '../io/io-fault.ts';

export interface RaceEvents<Target> {
  won(target: Target): void;
  /** It could not be connected to, or others were faster in spite of its head start. */
  failed(target: Target): void;
}

export class HeadStartRace<Target extends ServerTarget> implements Dial {
  readonly result: Promise<Duplex | DialFault>;
  readonly #targets: readonly Target[];
  readonly #dialOne: (target: Target) => Dial;
  readonly #headStartMs: number;
  readonly #events: RaceEvents<Target>;
  readonly #running = new Map<Target, Dial>();
  readonly #faults: DialFault[] = [];
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #resolve: (outcome: Duplex | DialFault) => void = () => {};

  constructor(
    targets: readonly Target[],
    dialOne: (target: Target) => Dial,
    headStartMs: number,
    events: RaceEvents<Target>,
  ) {
    this.#targets = targets;
    this.#dialOne = dialOne;
    this.#headStartMs = headStartMs;
    this.#events = events;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#startNext();
  }

  abandon(): void {
    this.#finish({ type: 'io-fault', stage: 'tcp', code: 'ECANCELED', text: 'abandoned' });
  }

  #startNext(): void {
    clearTimeout(this.#timer);
    const target = this.#targets[this.#next];
    this.#next += 1;
    if (target === undefined) return;
    const dial = this.#dialOne(target);
    this.#running.set(target, dial);
    this.#timer = setTimeout(() => this.#startNext(), this.#headStartMs).unref();
    void dial.result.then((outcome) => this.#ended(target, outcome));
  }

  #ended(target: Target, outcome: Duplex | DialFault): void {
    this.#running.delete(target);
    if (this.#isOver) {
      if (!isIoFault(outcome)) outcome.destroy();
    } else if (!isIoFault(outcome)) {
      for (const slower of this.#running.keys()) {
        if (this.#targets.indexOf(slower) < this.#targets.indexOf(target)) {
          this.#events.failed(slower);
        }
      }
      this.#events.won(target);
      this.#finish(outcome);
    } else {
      this.#events.failed(target);
      this.#faults.push(outcome);
      if (this.#faults.length === this.#targets.length) this.#finish(allFailed(this.#faults));
      else this.#startNext();
    }
  }

  #finish(outcome: Duplex | DialFault): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    for (const dial of this.#running.values()) dial.abandon();
    this.#resolve(outcome);
  }
}

/** What stopped the preferred one comes first. */
function allFailed([first, ...others]: readonly DialFault[]): DialFault {
  if (first === undefined) throw new RangeError('no server to connect to');
  return { ...first, text: [first, ...others].map(({ text }) => text).join('; ') };
}
