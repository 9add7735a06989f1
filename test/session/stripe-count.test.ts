import test from 'ava';
import { StripeCount } from '../../session/stripe-count.ts';

/** What is wanted after a second at this rate. */
function wantedAt(perSecond: number, isLossy: boolean, least = 1, most = 8): number {
  const count = new StripeCount(least, most, 0);
  if (isLossy) count.lossSeen(900);
  return count.wanted(perSecond, 1_000);
}

for (const [perSecond, expected] of [
  [0, 1],
  [50, 1],
  [100, 1],
  [101, 2],
  [250, 3],
  [1_000, 8],
  [10_000, 8],
] as const) {
  test(`[M-20] ${perSecond} packets a second want ${expected} where segments get lost, else 1`, (t) => {
    t.is(wantedAt(perSecond, true), expected);
    t.is(wantedAt(perSecond, false), 1);
  });
}

test('[M-20] never fewer than the least nor more than the most', (t) => {
  t.is(wantedAt(10, true, 3, 4), 3);
  t.is(wantedAt(10, false, 3, 4), 3);
  t.is(wantedAt(10_000, true, 3, 4), 4);
});

test('[M-20] back to the least after 30 s without a loss', (t) => {
  const count = new StripeCount(1, 8, 0);
  count.lossSeen(1_000);
  t.is(count.wanted(1_000, 1_000), 8);
  t.is(count.wanted(30_000, 30_999), 8);
  t.is(count.wanted(30_002, 31_000), 1);
});
