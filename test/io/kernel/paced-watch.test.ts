import test from 'ava';
import { PacedWatch } from '../../../io/kernel/paced-watch.ts';

const FULL = 50;

/** A watch that does nothing, and one thing to take after the other. */
function paced(amounts: number[], also: (watch: PacedWatch) => void = () => {}, full = FULL) {
  const told: string[] = [];
  let quiet = () => {};
  const watch: PacedWatch = new PacedWatch(
    {
      arm: () => {
        told.push('arm');
        quiet();
      },
      close: () => told.push('close'),
    },
    () => {
      const amount = amounts.shift() ?? 0;
      told.push(`${amount}`);
      also(watch);
      return amount;
    },
    full,
  );
  /** Resolves when it waits to be told. */
  const armed = () =>
    new Promise<void>((resolve) => {
      quiet = resolve;
    });
  return { watch, told, armed };
}

test('what comes rarely is waited for', (t) => {
  const { watch, told } = paced([]);
  watch.start();
  t.deepEqual(told, ['arm']);
});

test('while much comes it is looked by the clock, until little comes', async (t) => {
  const { watch, told, armed } = paced([8, 40, 2, 1]);
  const quiet = armed();
  watch.look();
  t.deepEqual(told, ['8']);
  await quiet;
  t.deepEqual(told, ['8', '40', '2', '1', 'arm']);
});

test('the more comes, the more is taken together', async (t) => {
  for (const [amount, paceMs] of [
    [8, 1],
    [32, 2],
    [96, 4],
  ] as const) {
    const { watch, armed } = paced([amount, 1], () => {}, 200);
    const quiet = armed();
    const began = performance.now();
    watch.look();
    await quiet;
    // A timer may come late, and by its rounding a millisecond early.
    t.true(performance.now() - began > paceMs - 1.1, `${amount}`);
  }
});

test('after a full batch it is looked again in the next turn of the event loop', async (t) => {
  const { watch, told } = paced([FULL, FULL, 3]);
  watch.look();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  t.deepEqual(told.slice(0, 2), ['50', '50']);
  watch.close();
});

test('closed by whoever takes, it is neither looked at nor armed any more', async (t) => {
  for (const amount of [1, 20, FULL]) {
    const { watch, told } = paced([amount], (each) => each.close());
    watch.look();
    await new Promise((resolve) => setTimeout(resolve, 5));
    t.deepEqual(told, [`${amount}`, 'close']);
  }
});
