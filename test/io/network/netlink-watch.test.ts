import test from 'ava';
import type { IoFault } from '../../../io/io-fault.ts';
import { isIoFault } from '../../../io/io-fault.ts';
import { type Libc, libc } from '../../../io/kernel/libc.ts';
import { watchByNetlink } from '../../../io/network/netlink-watch.ts';
import { Teller } from '../../../io/network/teller.ts';

const NO_BUFFERS: IoFault = { type: 'io-fault', code: 'ENOBUFS', text: 'recv: no buffer space' };
const NO_FILES: IoFault = { type: 'io-fault', code: 'EMFILE', text: 'socket: too many open files' };

function watch(t: { teardown(action: () => void): void }, change: (calls: Libc) => Partial<Libc>) {
  const calls = libc();
  if (isIoFault(calls)) throw new Error(calls.text);
  const teller = new Teller(() => {}, new Set());
  let lost = 0;
  const watching = watchByNetlink(teller, () => lost++, { ...calls, ...change(calls) });
  if (isIoFault(watching)) throw new Error(watching.text);
  t.teardown(() => watching.close());
  return lost;
}

test('[G-13] messages were lost and no new socket is to be had: somebody else has to watch', (t) => {
  let sockets = 0;
  let reads = 0;
  const lost = watch(t, ({ socket, recv }) => ({
    socket: (...args) => (++sockets > 1 ? NO_FILES : socket(...args)),
    recv: (...args) => (++reads === 2 ? NO_BUFFERS : recv(...args)),
  }));
  t.deepEqual([sockets, lost], [2, 1]);
});

test('[G-13] a new socket that fails like the one before is not replaced without end', (t) => {
  let sockets = 0;
  const lost = watch(t, ({ socket }) => ({
    socket: (...args) => {
      sockets += 1;
      return socket(...args);
    },
    recv: () => NO_BUFFERS,
  }));
  t.deepEqual([sockets, lost], [1, 1]);
});

test('[G-13] messages were lost once: a new socket goes on', (t) => {
  let reads = 0;
  const lost = watch(t, ({ recv }) => ({
    recv: (...args) => (++reads === 2 ? NO_BUFFERS : recv(...args)),
  }));
  t.true(reads > 2);
  t.is(lost, 0);
});
