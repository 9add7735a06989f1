/**
 * When to look into the ring. A rare packet is waited for in the thread pool (io/kernel/poller.ts) and
 * seen at once; being woken costs some twenty packets' worth. Where packets come close together a look
 * every millisecond finds many, and waking has no part in their cost. Whatever comes, other work of the
 * event loop has its turn after so many packets.
 */
import { type IoFault, isIoFault } from '../io-fault.ts';
import { type Watch, watchReadable } from '../kernel/poller.ts';

/** Packets handed out in one turn of the event loop. */
const MAX_PER_TURN = 256;
/** So many at once, or twice within so short a time, and the next look is by the clock. */
const BUSY_PACKETS = 4;
const BUSY_MS = 0.4;
const LOOK_MS = 1;
/** Where more than so many come in that time, twice as many come in twice the time for the same turn. */
const CROWD_PACKETS = 32;
const CROWD_LOOK_MS = 2;

export class Readiness {
  readonly #fd: number;
  readonly #linkFd: number;
  readonly #drain: (most: number) => number;
  readonly #woken: () => void;
  #watch: Watch | undefined;
  #linkWatch: Watch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #isOpen = true;
  #lastMs = Number.NEGATIVE_INFINITY;

  /**
   * `drain` takes up to so many packets and tells how many there were. `woken` is called when a
   * descriptor woke us and there were none: it has an error then.
   */
  constructor(fd: number, linkFd: number, drain: (most: number) => number, woken: () => void) {
    this.#fd = fd;
    this.#linkFd = linkFd;
    this.#drain = drain;
    this.#woken = woken;
  }

  start(): IoFault | undefined {
    const watch = watchReadable(this.#fd, () => {
      if (this.#turn() === 0) this.#woken();
    });
    if (isIoFault(watch)) return watch;
    this.#watch = watch;
    const linkWatch = watchReadable(this.#linkFd, () => {
      this.#woken();
      if (this.#isOpen) this.#linkWatch?.arm();
    });
    if (isIoFault(linkWatch)) return linkWatch;
    this.#linkWatch = linkWatch;
    watch.arm();
    linkWatch.arm();
    return undefined;
  }

  close(): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#watch?.close();
    this.#linkWatch?.close();
  }

  #turn(): number {
    const n = this.#drain(MAX_PER_TURN);
    if (!this.#isOpen) return n;
    const nowMs = performance.now();
    const isBusy = n >= BUSY_PACKETS || (n > 0 && nowMs - this.#lastMs < BUSY_MS);
    if (n > 0) this.#lastMs = nowMs;
    if (n === MAX_PER_TURN) this.#immediate = setImmediate(() => this.#turn());
    else if (isBusy) this.#lookLater(n > CROWD_PACKETS ? CROWD_LOOK_MS : LOOK_MS);
    else this.#watch?.arm();
    return n;
  }

  #lookLater(delayMs: number): void {
    this.#timer = setTimeout(() => this.#turn(), delayMs);
  }
}
