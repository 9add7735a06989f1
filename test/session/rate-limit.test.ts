import test from 'ava';
import { RateLimit } from '../../session/rate-limit.ts';

const NONE = Number.POSITIVE_INFINITY;
const START = 1_780_000_000_000.25;

/** How many packets of so many octets pass one after the other at this time. */
function passing(rate: RateLimit, octets: number, now: number): number {
  let count = 0;
  while (count < 1_000_000 && rate.take(octets, now)) count += 1;
  return count;
}

test('[W-5] packets: a second of burst, then so many a second', (t) => {
  const rate = new RateLimit({ packetsPerSecond: 50, bitsPerSecond: NONE });
  t.is(passing(rate, 1500, START), 50);
  t.is(passing(rate, 1500, START + 19), 0);
  t.is(passing(rate, 1500, START + 20), 1);
  t.is(passing(rate, 1500, START + 520), 25);
  t.is(passing(rate, 1500, START + 3_600_000), 50);
});

test('[W-5] bits: octets of a second in a burst, then so many a second', (t) => {
  const rate = new RateLimit({ packetsPerSecond: NONE, bitsPerSecond: 8_000_000 });
  t.is(passing(rate, 1000, START), 1000);
  t.is(passing(rate, 1000, START + 10), 10);
  t.is(passing(rate, 200, START + 11), 5);
});

test('the longest packet passes at the lowest rate', (t) => {
  const rate = new RateLimit({ packetsPerSecond: 1, bitsPerSecond: 8 });
  t.true(rate.take(65_535, START));
  t.false(rate.take(1, START));
});

test('what was refused is not counted', (t) => {
  const rate = new RateLimit({ packetsPerSecond: 2, bitsPerSecond: 8 });
  t.true(rate.take(65_000, START));
  t.false(rate.take(65_000, START));
  t.true(rate.take(100, START));
});

test('a clock that stands still or goes back fills nothing', (t) => {
  const rate = new RateLimit({ packetsPerSecond: 1, bitsPerSecond: NONE });
  t.true(rate.take(1, START));
  t.false(rate.take(1, START - 10_000));
  t.false(rate.take(1, START));
});

test('without limits everything passes; limits set later hold from then on', (t) => {
  const rate = new RateLimit({ packetsPerSecond: NONE, bitsPerSecond: NONE });
  t.is(passing(rate, 65_535, START), 1_000_000);
  rate.limit({ packetsPerSecond: 3, bitsPerSecond: NONE });
  t.is(passing(rate, 100, START), 3);
  rate.limit({ packetsPerSecond: 10, bitsPerSecond: NONE });
  t.is(passing(rate, 100, START), 0);
  t.is(passing(rate, 100, START + 1000), 10);
  rate.limit({ packetsPerSecond: NONE, bitsPerSecond: NONE });
  t.is(passing(rate, 100, START + 1000), 1_000_000);
});

test('our own wrong arguments throw', (t) => {
  for (const [packetsPerSecond, bitsPerSecond] of [
    [0, 8],
    [1, 7],
    [Number.NaN, 8],
  ] as const) {
    t.throws(() => new RateLimit({ packetsPerSecond, bitsPerSecond }), { instanceOf: RangeError });
  }
});
