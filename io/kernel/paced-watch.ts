/**
 * When to look at a file descriptor: as soon as it has something while little comes, by a clock while much comes:
 * the more, the more is taken together. To be told and to look costs some 50 µs where the caches are cold, which is nothing at
 * 50 packets a second, and more than all other work on a packet at 50,000. After a full
 * batch it is looked again at once, but other work of the event loop goes first.
 */
import { now } from '../clock.ts';
import { type IoFault, isIoFault } from '../io-fault.ts';
import { type FineTimer, fineTimer } from './fine-timer.ts';
import type { Libc } from './libc.ts';
import type { Watch } from './poller.ts';

/**
 * From so much in a millisecond on it is looked `withinMs` after the last time. A turn that the event loop has for
 * another reason makes it cheap: `isGlanced` says whether those are used. Below one packet in the time of the clock to be told is
 * cheaper, and sooner.
 */
const PACES = [
  { rate: 24, withinMs: 4, isGlanced: false },
  { rate: 4, withinMs: 0.25, isGlanced: true },
] as const;
/**
 * After a look it is rested for as long as it took to go through what was seen, which is long when the processor is short: with
 * code that is new, and beside others. So a process that is late gathers more, and one that is not has no need to.
 */
const MOST_REST_MS = 1;
/** A pace ends only below this share of the rate that it begins with. */
const STAY = 0.8;
/** Over so much time at least it is counted how much comes. */
const COUNTED_MS = 8;

/** What is looked at. */
export interface Watched {
  /** Takes what there is, `fullBatch` at most, and gives how much that was. */
  readonly take: () => number;
  readonly fullBatch: number;
  /** After a look that had a turn of the event loop to itself. */
  readonly looked?: () => void;
}

export class PacedWatch {
  readonly #watch: Watch;
  readonly #timer: FineTimer;
  readonly #take: () => number;
  readonly #fullBatch: number;
  readonly #looked: () => void;
  readonly #clock: () => number;
  #isOpen = true;
  #pace: (typeof PACES)[number] | undefined;
  #lookedMs: number;
  #restMs = 0;
  /** Since when it is counted, and how much came since. */
  #sinceMs: number;
  #taken = 0;
  #immediate: NodeJS.Immediate | undefined;

  /** `watch` and `timer` call `look`. */
  constructor(watch: Watch, timer: FineTimer, whose: Watched, clock = now) {
    const { take, fullBatch, looked = () => {} } = whose;
    this.#watch = watch;
    this.#timer = timer;
    this.#take = take;
    this.#fullBatch = fullBatch;
    this.#looked = looked;
    this.#clock = clock;
    this.#lookedMs = clock();
    this.#sinceMs = this.#lookedMs;
  }

  start(): void {
    this.#watch.arm();
  }

  look(): void {
    this.#look();
    this.#looked();
  }

  /** The event loop has a turn anyway. */
  glance(): void {
    if (this.#pace?.isGlanced && this.#clock() - this.#lookedMs >= this.#restMs) this.#look();
  }

  close(): void {
    this.#isOpen = false;
    clearImmediate(this.#immediate);
    this.#timer.close();
    this.#watch.close();
  }

  #look(): void {
    const beganMs = this.#clock();
    const taken = this.#take();
    // Whoever takes may have closed it.
    if (!this.#isOpen) return;
    this.#taken += taken;
    this.#lookedMs = this.#clock();
    this.#restMs = Math.min(MOST_REST_MS, this.#lookedMs - beganMs);
    if (this.#lookedMs - this.#sinceMs >= COUNTED_MS) this.#choosePace();
    if (taken >= this.#fullBatch) this.#immediate ??= setImmediate(() => this.#lookAgain());
    if (this.#pace === undefined) this.#watch.arm();
    else this.#timer.set(this.#pace.withinMs + this.#restMs);
  }

  #lookAgain(): void {
    this.#immediate = undefined;
    this.look();
  }

  #choosePace(): void {
    const rate = this.#taken / (this.#lookedMs - this.#sinceMs);
    this.#sinceMs = this.#lookedMs;
    this.#taken = 0;
    const reached = this.#pace?.rate ?? 0;
    this.#pace = PACES.find((pace) => rate >= (pace.rate <= reached ? STAY : 1) * pace.rate);
  }
}

export type WatchMaker = (look: () => void) => Watch | IoFault;

/** Looks at what `watchFor` gives a watch of from now on. */
export function watchPaced(
  calls: Libc,
  watchFor: WatchMaker,
  whose: Watched,
): PacedWatch | IoFault {
  let paced: PacedWatch | undefined;
  const look = () => paced?.look();
  const watch = watchFor(look);
  if (isIoFault(watch)) return watch;
  const timer = fineTimer(calls, look);
  if (isIoFault(timer)) {
    watch.close();
    return timer;
  }
  paced = new PacedWatch(watch, timer, whose);
  paced.start();
  return paced;
}
