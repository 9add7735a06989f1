/** Descriptors in Node's own event loop. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { isIoFault } from '../../../io/io-fault.ts';
import { fineTimer } from '../../../io/kernel/fine-timer.ts';
import { type Libc, libc } from '../../../io/kernel/libc.ts';
import { type LoopWatch, watchInLoop } from '../../../io/kernel/loop-watch.ts';

const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);

function calls(): Libc {
  const c = libc();
  if (isIoFault(c)) throw new Error(c.text);
  return c;
}

/** A counter of the system that is watched; `told()` resolves at the next call of `ready`. */
function watched(t: ExecutionContext) {
  const fd = calls().eventfd();
  if (typeof fd !== 'number') throw new Error(fd.text);
  const bell = new EventTarget();
  let times = 0;
  const watch = watchInLoop(calls(), fd, () => {
    times += 1;
    bell.dispatchEvent(new Event('told'));
  });
  if (isIoFault(watch)) throw new Error(watch.text);
  t.teardown(() => watch.close());
  return { watch, times: () => times, told: () => once(bell, 'told') };
}

function ring(watch: LoopWatch): void {
  calls().write(watch.fd, ONE);
}

test('a watch in the loop tells once per arm', async (t) => {
  const { watch, told, times } = watched(t);
  const first = told();
  watch.arm();
  ring(watch);
  await first;
  ring(watch);
  // Another one has its turn meanwhile: the first one, not armed, stays silent.
  const other = watched(t);
  const heard = other.told();
  other.watch.arm();
  ring(other.watch);
  await heard;
  t.is(times(), 1);
  const second = told();
  watch.arm();
  await second;
  t.is(times(), 2);
});

test('armed again by who is told, it goes on telling', async (t) => {
  const { watch, told, times } = watched(t);
  watch.arm();
  for (let i = 1; i <= 3; i++) {
    const heard = told();
    ring(watch);
    await heard;
    watch.arm();
    t.is(times(), i);
  }
});

test('closed, it is silent and no descriptor stays', async (t) => {
  const before = readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 100; i++) {
    const { watch, times } = watched(t);
    watch.arm();
    ring(watch);
    watch.close();
    watch.close();
    await setImmediate();
    t.is(times(), 0);
  }
  t.true(readdirSync('/proc/self/fd').length < before + 50);
});

test('a fine timer rings once, not too early, and not at a time before the last one that was set', async (t) => {
  const bell = new EventTarget();
  const rings = { first: 0, second: 0 };
  const timerOf = (name: keyof typeof rings) => {
    const timer = fineTimer(calls(), () => {
      rings[name] += 1;
      bell.dispatchEvent(new Event(name));
    });
    if (isIoFault(timer)) throw new Error(timer.text);
    t.teardown(() => timer.close());
    return timer;
  };
  const first = timerOf('first');
  const began = performance.now();
  first.set(0.5);
  await once(bell, 'first');
  t.true(performance.now() - began >= 0.5);
  first.set(1);
  first.set(900);
  const second = timerOf('second');
  for (let i = 0; i < 5; i++) {
    second.set(1);
    await once(bell, 'second');
  }
  t.deepEqual(rings, { first: 1, second: 5 });
});
