/**
 * When to look at a file descriptor: as soon as it has something while little comes, each millisecond,
 * two or four while much comes. Being told costs two threads some 20 µs; that is nothing at 50 packets a second,
 * and more than all other work on a packet at 50,000. Then the packets of a millisecond are taken
 * together. After a full batch it is looked again at once, but other work of the event loop goes first.
 */
import { now } from '../clock.ts';
import { type IoFault, isIoFault } from '../io-fault.ts';
import { type Watch, watchReadable } from './poller.ts';

/** Told twice in this time, or so much taken at once: much comes. */
const BUSY_GAP_MS = 0.5;
const BUSY_TAKEN = 8;
/** Less in one look: little comes. */
const QUIET_TAKEN = 2;
const PACE_MS = 1;
/** So much in one look: twice as much for one turn of the event loop is taken in twice the time. */
const CROWD_TAKEN = 32;
const CROWD_PACE_MS = 2;
/** 1,000 calls: half a turn costs less than a tenth of what they have to spare. */
const FLOOD_TAKEN = 96;
const FLOOD_PACE_MS = 4;

export class PacedWatch {
  readonly #watch: Watch;
  readonly #take: () => number;
  readonly #fullBatch: number;
  #isOpen = true;
  #isPaced = false;
  #lastMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  /** `take` takes what there is, `fullBatch` at most, and gives how much that was. */
  constructor(watch: Watch, take: () => number, fullBatch: number) {
    this.#watch = watch;
    this.#take = take;
    this.#fullBatch = fullBatch;
  }

  start(): void {
    this.#watch.arm();
  }

  look(): void {
    const taken = this.#take();
    // Whoever takes may have closed it.
    if (!this.#isOpen) return;
    const at = now();
    const isBusy = taken >= BUSY_TAKEN || at - this.#lastMs < BUSY_GAP_MS;
    this.#isPaced = this.#isPaced ? taken >= QUIET_TAKEN : isBusy;
    this.#lastMs = at;
    if (taken >= this.#fullBatch) this.#immediate = setImmediate(() => this.look());
    else if (this.#isPaced) this.#lookIn(paceFor(taken));
    else this.#watch.arm();
  }

  close(): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#watch.close();
  }

  #lookIn(delayMs: number): void {
    this.#timer = setTimeout(() => this.look(), delayMs);
  }
}

function paceFor(taken: number): number {
  if (taken >= FLOOD_TAKEN) return FLOOD_PACE_MS;
  return taken >= CROWD_TAKEN ? CROWD_PACE_MS : PACE_MS;
}

/** Looks at `fd` from now on; see the constructor. */
export function watchPaced(
  fd: number,
  take: () => number,
  fullBatch: number,
): PacedWatch | IoFault {
  let paced: PacedWatch | undefined;
  const watch = watchReadable(fd, () => paced?.look());
  if (isIoFault(watch)) return watch;
  paced = new PacedWatch(watch, take, fullBatch);
  paced.start();
  return paced;
}
