/** A clock that Node's event loop hears (timerfd_create(2)), for times that `setTimeout` is too coarse for. */
import { type IoFault, isIoFault } from '../io-fault.ts';
import type { Libc } from './libc.ts';
import { watchInLoop } from './loop-watch.ts';

const NS_PER_MS = 1_000_000;
/** `struct itimerspec` in words of 32 bits, on 64-bit machines of little-endian order: seconds and ns of two times. */
const SPEC_WORDS = 8;
/** Of the second one: to the first ring. The first one, between rings, stays 0: there is one only. */
const FIRST_NS = 6;

export interface FineTimer {
  /** Once, in so many milliseconds, fewer than 1,000, and at no time that was set before. */
  set(ms: number): void;
  close(): void;
}

/** `ring` is called between turns of the event loop. */
export function fineTimer(calls: Libc, ring: () => void): FineTimer | IoFault {
  const fd = calls.timer();
  if (typeof fd !== 'number') return fd;
  const spec = new Uint32Array(SPEC_WORDS);
  const octets = new Uint8Array(spec.buffer);
  const watch = watchInLoop(calls, fd, () => {
    if (!isIoFault(watch)) watch.arm();
    ring();
  });
  if (isIoFault(watch)) return watch;
  watch.arm();
  return {
    set(ms) {
      spec[FIRST_NS] = Math.round(ms * NS_PER_MS);
      calls.setTimer(watch.fd, octets);
    },
    close: () => watch.close(),
  };
}
