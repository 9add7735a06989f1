/**
 * Tells when file descriptors have something to read that Node's event loop does not know. All of them
 * share one epoll, and so one thread of the pool, however many there are. Each watch tells once per
 * `arm`, so a descriptor that stays readable costs nothing while its owner looks after it anyway.
 */
import { type IoFault, isIoFault } from '../io-fault.ts';
import { epollEventLength, type Libc, libc } from './libc.ts';

export interface Watch {
  /** `ready` will be called once, as soon as there is something to read, or an error to fetch. */
  arm(): void;
  /** No further call of `ready`. To be called before the descriptor is closed. */
  close(): void;
}

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 0x1;
const EPOLLONESHOT = 0x4000_0000;

const EVENT_LEN = epollEventLength();
const OFF_DATA = EVENT_LEN - 8;
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
  readonly #events = new Uint8Array(EVENT_LEN * MAX_EVENTS);
  readonly #ready = new Map<number, () => void>();
  #next = WAKE + 1;
  #isWaiting = false;

  constructor(calls: Libc, epoll: number, wake: number) {
    this.#calls = calls;
    this.#epoll = epoll;
    this.#wake = wake;
    calls.epollControl(epoll, EPOLL_CTL_ADD, wake, event(EPOLLIN, WAKE));
    // The process joins the threads of the pool before it ends, and one of them waits for us.
    process.on('exit', () => this.#interrupt());
  }

  watch(fd: number, ready: () => void): Watch | IoFault {
    const number = this.#next++;
    const added = this.#calls.epollControl(
      this.#epoll,
      EPOLL_CTL_ADD,
      fd,
      event(EPOLLONESHOT, number),
    );
    if (typeof added !== 'number') return added;
    this.#ready.set(number, ready);
    const wanted = event(EPOLLIN | EPOLLONESHOT, number);
    return {
      arm: () => {
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
    this.#calls.epollWait(this.#epoll, this.#events, (count) => this.#told(count));
  }

  #told(count: number): void {
    // Still "waiting" meanwhile: whoever arms in `ready` must not have the events overwritten.
    for (let i = 0; i < count; i++) {
      const number = this.#numberAt(i);
      if (number === WAKE) this.#calls.read(this.#wake, new Uint8Array(8));
      else this.#ready.get(number)?.();
    }
    this.#isWaiting = false;
    if (this.#ready.size > 0) this.#wait();
  }

  #numberAt(i: number): number {
    const { buffer, byteOffset } = this.#events;
    return new DataView(buffer, byteOffset).getUint32(i * EVENT_LEN + OFF_DATA, LITTLE_ENDIAN);
  }

  #interrupt(): void {
    this.#calls.write(this.#wake, new Uint8Array(BigUint64Array.of(1n).buffer));
  }
}

/** The order of octets of this machine, in which the kernel reads and writes structures. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function event(events: number, number: number): Uint8Array {
  const b = new Uint8Array(EVENT_LEN);
  const view = new DataView(b.buffer);
  view.setUint32(0, events, LITTLE_ENDIAN);
  view.setUint32(OFF_DATA, number, LITTLE_ENDIAN);
  return b;
}
