/**
 * Calls over simulated TCP that loses segments (G-25): what the choice of the connection is worth. The
 * patterns are seeded, so these are recorded figures, not chances.
 */
import test from 'ava';
import fc from 'fast-check';
import { seededRandom } from '../../sim/random.ts';
import { StripedSender } from './striped-sender.ts';

function calls(stripes: number, loss: number, count: number, ms: number): StripedSender {
  const random = seededRandom(7);
  const run = new StripedSender(stripes, { delayMs: 20, isLost: () => random.chance(loss) });
  run.talk(count, ms);
  return run;
}

test('[G-25] no loss: every packet comes after 20 ms, none waits', (t) => {
  const run = calls(2, 0, 20, 5_000);
  t.is(run.percentileMs(1), 20);
  t.is(run.counters.dropped, 0);
});

test('[G-25] 1 % loss, 20 calls over 8 connections: p99.9 within 120 ms', (t) => {
  const run = calls(8, 0.01, 20, 30_000);
  t.true(run.percentileMs(0.999) <= 120, `${run.percentileMs(0.999)} ms`);
});

test('[G-25] 3 % loss, 20 calls over 8 connections: at most 0.5 % later than 150 ms', (t) => {
  const run = calls(8, 0.03, 20, 30_000);
  t.true(run.laterThan(150) <= 0.005, `${run.laterThan(150)}`);
});

test('[G-25] 1 % loss, one call over one connection: p99.9 within 120 ms', (t) => {
  const run = calls(1, 0.01, 1, 120_000);
  t.true(run.percentileMs(0.999) <= 120, `${run.percentileMs(0.999)} ms`);
});

/** A call of so many begins after seconds of silence, over one connection and as many as the path asks for. */
function beginning(loss: number, seed: number): { run: StripedSender; mostAfterMs: number } {
  const random = seededRandom(seed);
  const run = new StripedSender(1, { delayMs: 20, isLost: () => random.chance(loss) });
  run.adapt(8, 90_000);
  run.clock.runFor(3_000 + 91 * seed);
  const began = run.clock.now;
  let mostAfterMs = Number.POSITIVE_INFINITY;
  for (let ms = 3_000; ms > 0; ms -= 10) {
    run.clock.after(ms, () => {
      if (run.stripes === 8) mostAfterMs = Math.min(mostAfterMs, run.clock.now - began);
    });
  }
  run.talk(20, 3_000);
  return { run, mostAfterMs };
}

test('[G-25] 20 calls begin on a path that loses 3 %: 8 connections in half a second, little late', (t) => {
  const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((seed) => beginning(0.03, seed));
  const after = all.map(({ mostAfterMs }) => mostAfterMs);
  t.true(Math.max(...after) <= 500, `${after} ms`);
  const late = all.reduce((sum, { run }) => sum + run.laterThan(150), 0) / all.length;
  t.true(late <= 0.005, `${late}`);
});

test('[G-25] 20 calls begin on a clean path: one connection; one again 30 s after the last loss', (t) => {
  t.is(beginning(0, 1).mostAfterMs, Number.POSITIVE_INFINITY);
  const { run } = beginning(0.03, 1);
  t.is(run.stripes, 8);
  run.clock.runFor(30_000);
  t.is(run.stripes, 1);
});

test('[G-25] in order on each connection, and each packet comes or is counted', (t) => {
  const run = calls(4, 0.1, 20, 10_000);
  for (const came of run.came)
    t.deepEqual(
      came,
      came.toSorted((a, b) => a - b),
    );
  const lost = run.delaysMs.filter((delay) => delay === undefined).length;
  t.is(lost, run.counters.dropped);
  t.is(run.counters.sentRecords + lost, run.delaysMs.length);
});

test('[G-25] property: whatever is lost, no call is reordered on a connection, and all is counted', (t) => {
  const runs = fc.record({
    stripes: fc.integer({ min: 1, max: 8 }),
    loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
    count: fc.integer({ min: 1, max: 12 }),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    knowsKernel: fc.boolean(),
  });
  fc.assert(
    fc.property(runs, ({ stripes, loss, count, seed, knowsKernel }) => {
      const random = seededRandom(seed);
      const run = new StripedSender(stripes, { delayMs: 20, isLost: () => random.chance(loss) });
      run.knowsKernel = knowsKernel;
      run.talk(count, 2_000);
      const last = new Map<string, number>();
      for (const [conn, came] of run.came.entries()) {
        for (const number of came) {
          // All calls speak in turns.
          const call = `${conn} ${number % count}`;
          if ((last.get(call) ?? -1) >= number) throw new Error(`${number} was overtaken`);
          last.set(call, number);
        }
      }
      const { sentRecords, dropped } = run.counters;
      if (sentRecords + dropped !== run.delaysMs.length) throw new Error('not all is counted');
    }),
    { numRuns: 40, seed: 9 },
  );
  t.pass();
});
