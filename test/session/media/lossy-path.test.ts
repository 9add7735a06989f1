/**
 * Calls over simulated TCP that loses segments (G-25): what the choice of the connection is worth. The
 * patterns are seeded, so these are recorded figures, not chances.
 */
import test from 'ava';
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
