import test from 'ava';
import { PacedWatch } from '../../../io/kernel/paced-watch.ts';

const FULL = 50;
/** Longer than it is counted how much comes. */
const LONG_MS = 9;

/** A watch and a timer that do nothing, and one thing to take after the other. */
function paced(take: (watch: PacedWatch) => number, full: number, clock = () => 0) {
  const told: string[] = [];
  const watch: PacedWatch = new PacedWatch(
    { arm: () => told.push('arm'), close: () => told.push('close') },
    { set: (ms) => told.push(`in ${ms}`), close: () => told.push('timer close') },
    { take: () => take(watch), fullBatch: full },
    clock,
  );
  return { watch, told };
}

/** `come` lets time pass in which so much comes, and looks then; it gives what the watch asked for. */
function steady() {
  let nowMs = 0;
  let waiting = 0;
  const { watch, told } = paced(
    () => waiting,
    Number.POSITIVE_INFINITY,
    () => nowMs,
  );
  const come = (perMs: number) => {
    nowMs += LONG_MS;
    waiting = perMs * LONG_MS;
    told.length = 0;
    watch.look();
    return told.splice(0);
  };
  const glance = () => {
    watch.glance();
    return told.splice(0);
  };
  return { come, glance };
}

test('what comes rarely is waited for', (t) => {
  const { watch, told } = paced(() => 0, FULL);
  watch.start();
  t.deepEqual(told, ['arm']);
  watch.look();
  t.deepEqual(told, ['arm', 'arm']);
});

test('[G-25] the more comes, the more is taken together by the clock', (t) => {
  const { come } = steady();
  t.deepEqual(come(3.9), ['arm']);
  t.deepEqual(come(4.1), ['in 0.25']);
  t.deepEqual(come(23), ['in 0.25']);
  t.deepEqual(come(24.1), ['in 4']);
  t.deepEqual(come(200), ['in 4']);
});

test('[G-25] a pace stays until clearly less comes', (t) => {
  const { come } = steady();
  come(25);
  t.deepEqual(come(19.5), ['in 4']);
  t.deepEqual(come(19), ['in 0.25']);
  t.deepEqual(come(3.3), ['in 0.25']);
  t.deepEqual(come(3.1), ['arm']);
});

test('[G-25] a turn for another reason is used while it is looked often by the clock, and only then', (t) => {
  const { come, glance } = steady();
  come(1);
  t.deepEqual(glance(), []);
  come(5);
  t.deepEqual(glance(), ['in 0.25']);
  come(100);
  t.deepEqual(glance(), []);
});

test('[G-25] the longer a look took, the longer it is rested, for a millisecond at most', (t) => {
  let nowMs = 0;
  let lastsMs = 0;
  const { watch, told } = paced(
    () => {
      nowMs += lastsMs;
      return 100;
    },
    Number.POSITIVE_INFINITY,
    () => nowMs,
  );
  nowMs = LONG_MS;
  watch.look();
  const glance = (ms: number) => {
    nowMs += ms;
    told.length = 0;
    watch.glance();
    return told.splice(0);
  };
  t.deepEqual(glance(0), ['in 0.25']);
  lastsMs = 0.5;
  t.deepEqual(glance(0), ['in 0.75']);
  t.deepEqual(glance(0.25), []);
  t.deepEqual(glance(0.25), ['in 0.75']);
  lastsMs = 1.5;
  t.deepEqual(glance(0.5), ['in 1.25']);
  t.deepEqual(glance(0.75), []);
  t.deepEqual(glance(0.25), ['in 1.25']);
});

test('whoever takes hears when a look is over that nobody else had a turn for', async (t) => {
  let looked = 0;
  const watch: PacedWatch = new PacedWatch(
    { arm: () => {}, close: () => {} },
    { set: () => {}, close: () => {} },
    { take: () => FULL, fullBatch: FULL, looked: () => looked++ },
    () => looked * LONG_MS,
  );
  t.teardown(() => watch.close());
  watch.look();
  t.is(looked, 1);
  watch.look();
  watch.glance();
  t.is(looked, 2);
  await new Promise((resolve) => setImmediate(resolve));
  t.is(looked, 3);
});

test('one burst is no pace', (t) => {
  const { watch, told } = paced(() => FULL - 1, FULL);
  watch.look();
  t.deepEqual(told, ['arm']);
  watch.close();
});

test('after a full batch it is looked again in the next turn of the event loop', async (t) => {
  const amounts = [FULL, FULL, 3];
  const taken: number[] = [];
  const { watch } = paced(() => {
    taken.push(amounts.shift() ?? 0);
    return taken.at(-1) ?? 0;
  }, FULL);
  watch.look();
  await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
  t.deepEqual(taken, [FULL, FULL, 3]);
  watch.close();
});

test('closed by whoever takes, it is neither looked at nor armed any more', async (t) => {
  for (const amount of [1, 20, FULL]) {
    const { watch, told } = paced((each) => {
      each.close();
      return amount;
    }, FULL);
    watch.look();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    t.deepEqual(told, ['timer close', 'close'], `${amount}`);
  }
});
