/**
 * Tells when file descriptors have something to read that Node's event loop does not know. All of them
 * share one epoll, and so one thread of the pool, however many there are. Each watch tells once per
 * `arm`, so a descriptor that stays readable costs nothing while its owner looks after it anyway.
 */
import { type IoFault, isIoFault } from '../io-fault.ts';
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLIN,
  EPOLLONESHOT,
  EpollEvents,
  epollEvent,
} from './epoll-events.ts';
import { type Libc, libc } from './libc.ts';

export interface Watch {
  /** `ready` will be called once, as soon as there is something to read, or an error to fetch. */
  arm(): void;
  /** No further call of `ready`. To be called before the descriptor is closed. */
  close(): void;
}

const MAX_EVENTS = 16;

/** Events carry numbers, not descriptors: those are used again before a late event is handed out. */
const WAKE = 0;

/** `ready` is called between turns of the event loop, the first time after `arm`. */
export function watchReadable(fd: number, ready: () => void): Watch | IoFault {
  poller ??= openPoller();
  return isIoFault(poller) ? poller : poller.watch(fd, ready);
}

let poller: Poller | IoFault | undefined;

function openPoller(): Poller | IoFault {
  const calls = libc();
  if (isIoFault(calls)) return calls;
  const epoll = calls.epollCreate();
  if (typeof epoll !== 'number') return epoll;
  const wake = calls.eventfd();
  if (typeof wake !== 'number') {
    calls.close(epoll);
    return wake;
  }
  return new Poller(calls, epoll, wake);
}

class Poller {
  readonly #calls: Libc;
  readonly #epoll: number;
  readonly #wake: number;
  readonly #events = new EpollEvents(MAX_EVENTS);
  readonly #ready = new Map<number, () => void>();
  #next = WAKE + 1;
  #isWaiting = false;

  constructor(calls: Libc, epoll: number, wake: number) {
    this.#calls = calls;
    this.#epoll = epoll;
    this.#wake = wake;
    calls.epollControl(epoll, EPOLL_CTL_ADD, wake, epollEvent(EPOLLIN, WAKE));
    // The process joins the threads of the pool before it ends, and one of them waits for us.
    process.on('exit', () => this.#interrupt());
  }

  watch(fd: number, ready: () => void): Watch | IoFault {
    const number = this.#next++;
    const added = this.#calls.epollControl(
      this.#epoll,
      EPOLL_CTL_ADD,
      fd,
      epollEvent(EPOLLONESHOT, number),
    );
    if (typeof added !== 'number') return added;
    this.#ready.set(number, ready);
    const wanted = epollEvent(EPOLLIN | EPOLLONESHOT, number);
    return {
      arm: () => {
        if (!this.#ready.has(number)) return;
        this.#calls.epollControl(this.#epoll, EPOLL_CTL_MOD, fd, wanted);
        this.#wait();
      },
      close: () => {
        if (!this.#ready.delete(number)) return;
        this.#calls.epollControl(this.#epoll, EPOLL_CTL_DEL, fd, wanted);
        // A wait under way would keep the process alive.
        if (this.#ready.size === 0 && this.#isWaiting) this.#interrupt();
      },
    };
  }

  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#calls.epollWait(this.#epoll, this.#events.octets, (count) => this.#told(count));
  }

  #told(count: number): void {
    // Still "waiting" meanwhile: whoever arms in `ready` must not have the events overwritten.
    for (let i = 0; i < count; i++) {
      const number = this.#events.number(i);
      if (number === WAKE) this.#calls.read(this.#wake, new Uint8Array(8));
      else this.#ready.get(number)?.();
    }
    this.#isWaiting = false;
    if (this.#ready.size > 0) this.#wait();
  }

  #interrupt(): void {
    this.#calls.write(this.#wake, new Uint8Array(BigUint64Array.of(1n).buffer));
  }
}
