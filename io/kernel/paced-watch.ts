/**
 * When to look at a file descriptor: as soon as it has something while little comes, each millisecond
 * while much comes. Being told costs two threads some 20 µs; that is nothing at 50 packets a second, and
 * more than all other work on a packet at 50,000. Then the packets of a millisecond are taken together.
 */
import { now } from '../clock.ts';
import { type IoFault, isIoFault } from '../io-fault.ts';
import { type Watch, watchReadable } from './poller.ts';

/** Told twice in this time, or so much taken at once: much comes. */
const BUSY_GAP_MS = 0.5;
const BUSY_TAKEN = 8;
/** So little in a millisecond: little comes. */
const QUIET_TAKEN = 2;
const PACE_MS = 1;

export class PacedWatch {
  readonly #watch: Watch;
  readonly #take: () => number;
  #isPaced = false;
  #lastMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(watch: Watch, take: () => number) {
    this.#watch = watch;
    this.#take = take;
  }

  start(): void {
    this.#watch.arm();
  }

  look(): void {
    const taken = this.#take();
    const at = now();
    const isBusy = taken >= BUSY_TAKEN || at - this.#lastMs < BUSY_GAP_MS;
    this.#isPaced = this.#isPaced ? taken >= QUIET_TAKEN : isBusy;
    this.#lastMs = at;
    if (this.#isPaced) this.#timer = setTimeout(() => this.look(), PACE_MS);
    else this.#watch.arm();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watch.close();
  }
}

/** `take` takes what there is and gives how much that was. */
export function watchPaced(fd: number, take: () => number): PacedWatch | IoFault {
  let paced: PacedWatch | undefined;
  const watch = watchReadable(fd, () => paced?.look());
  if (isIoFault(watch)) return watch;
  paced = new PacedWatch(watch, take);
  paced.start();
  return paced;
}
