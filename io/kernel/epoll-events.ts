/** `struct epoll_event`: what to wait for, with a number of ours, and what has happened. */
import { epollEventLength } from './libc.ts';

export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
export const EPOLLIN = 0x1;
export const EPOLLONESHOT = 0x4000_0000;

const EVENT_LEN = epollEventLength();
const OFF_DATA = EVENT_LEN - 8;

/** The order of octets of this machine, in which the kernel reads and writes structures. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

export function epollEvent(events: number, number: number): Uint8Array {
  const b = new Uint8Array(EVENT_LEN);
  const view = new DataView(b.buffer);
  view.setUint32(0, events, LITTLE_ENDIAN);
  view.setUint32(OFF_DATA, number, LITTLE_ENDIAN);
  return b;
}

/** Room for the events of one call. */
export class EpollEvents {
  readonly octets: Uint8Array;
  readonly #view: DataView;

  constructor(count: number) {
    this.octets = new Uint8Array(new ArrayBuffer(count * EVENT_LEN));
    this.#view = new DataView(this.octets.buffer);
  }

  /** The number that event `i` came with. */
  number(i: number): number {
    return this.#view.getUint32(i * EVENT_LEN + OFF_DATA, LITTLE_ENDIAN);
  }
}
