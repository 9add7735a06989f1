import test from 'ava';
import fc from 'fast-check';
import { Histogram } from '../../ops/histogram.ts';

test('nothing recorded is zero', (t) => {
  const histogram = new Histogram();
  t.is(histogram.count, 0);
  t.is(histogram.quantileMs(0.5), 0);
  t.is(histogram.maxMs, 0);
});

test('a quantile is never below the truth and at most 1/16 above it', (t) => {
  const times = fc.array(fc.integer({ min: 0, max: 60_000_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), (us, q) => {
      const histogram = new Histogram();
      for (const time of us) histogram.record(time / 1_000);
      const sorted = us.toSorted((a, b) => a - b);
      const truth = (sorted[Math.max(1, Math.ceil(q * us.length)) - 1] ?? 0) / 1_000;
      const told = histogram.quantileMs(q);
      return told >= truth && told <= truth * (17 / 16) && told <= histogram.maxMs;
    }),
    { seed: 1, numRuns: 500 },
  );
  t.pass();
});

test('each time that occurs comes once, rising, with the share up to it', (t) => {
  const histogram = new Histogram();
  for (const ms of [3, 1, 1, 9]) histogram.record(ms / 1_000);
  const seen: [number, number][] = [];
  histogram.eachTime((ms, share) => seen.push([ms, share]));
  t.deepEqual(seen, [
    [0.001, 0.5],
    [0.003, 0.75],
    [0.009, 1],
  ]);
});

test('limits: 0, negative and longer than the last bucket', (t) => {
  const histogram = new Histogram();
  histogram.record(0);
  histogram.record(-1);
  t.is(histogram.quantileMs(1), 0);
  histogram.record(1e9);
  t.is(histogram.count, 3);
  t.is(histogram.maxMs, 1e9);
  t.true(histogram.quantileMs(1) > 67_000);
});

test('adding two gives the histogram of both', (t) => {
  const [a, b, both] = [new Histogram(), new Histogram(), new Histogram()];
  for (let i = 1; i <= 100; i++) {
    (i % 3 === 0 ? a : b).record(i);
    both.record(i);
  }
  a.add(b);
  t.is(a.count, 100);
  t.is(a.maxMs, 100);
  for (const q of [0.01, 0.5, 0.99, 1]) t.is(a.quantileMs(q), both.quantileMs(q));
});
