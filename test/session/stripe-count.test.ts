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

test('[M-20] a call that begins is counted after a fifth of a second, when it fills connections', (t) => {
  const wantedAfter = (records: number, ms: number) => {
    const count = new StripeCount(1, 8, 0);
    // Half a second of silence, in which a second began to be counted.
    for (let now = 0; now <= 500; now += 50) count.wanted(0, now);
    count.lossSeen(500);
    let wanted = 0;
    for (let now = 550; now <= 500 + ms; now += 50) {
      wanted = count.wanted((records * (now - 500)) / 1_000, now);
    }
    return wanted;
  };
  t.is(wantedAfter(1_000, 350), 8);
  t.is(wantedAfter(1_000, 50), 1);
  t.is(wantedAfter(250, 350), 2);
  t.is(wantedAfter(105, 350), 1);
});

test('[M-20] a pause or a key frame makes no connections come and go', (t) => {
  const count = new StripeCount(1, 8, 0);
  let records = 0;
  const seen = new Set<number>();
  for (let now = 50; now < 20_000; now += 50) {
    // 400 a second for 2 s, then nothing for 2 s, and so on.
    if (now % 4_000 < 2_000) records += 20;
    count.lossSeen(now);
    const wanted = count.wanted(records, now);
    if (now > 2_000) seen.add(wanted);
  }
  t.deepEqual([...seen], [4]);
  let last = 0;
  for (let now = 20_000; now < 35_000; now += 50) {
    count.lossSeen(now);
    last = count.wanted(records, now);
  }
  t.is(last, 1, 'but the end of the call does');
});
