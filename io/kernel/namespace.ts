/** Work in another network namespace: sockets stay in the one that they were opened in. */
import { closeSync, openSync } from 'node:fs';
import { type IoFault, isIoFault } from '../io-fault.ts';
import { type Libc, libc } from './libc.ts';

const OWN = '/proc/thread-self/ns/net';
const NETWORK = 0x4000_0000;

/**
 * Calls `work` with this thread in the namespace that `file` stands for (/run/netns/…), and gives what it
 * gives. What `work` does later, after waiting for something, is done in our own again.
 */
export function withinNamespace<T>(file: string, work: () => T): T | IoFault {
  const calls = libc();
  if (isIoFault(calls)) return calls;
  const own = openSync(OWN, 'r');
  const other = openSync(file, 'r');
  try {
    const entered = calls.enterNamespace(other, NETWORK);
    if (typeof entered !== 'number') return entered;
    return thenBack(calls, own, work);
  } finally {
    closeSync(own);
    closeSync(other);
  }
}

function thenBack<T>(calls: Libc, own: number, work: () => T): T {
  try {
    return work();
  } finally {
    const back = calls.enterNamespace(own, NETWORK);
    // Nothing that this thread did from now on would be where it is thought to be.
    if (typeof back !== 'number') process.abort();
  }
}
