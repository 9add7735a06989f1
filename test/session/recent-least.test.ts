import test from 'ava';
import { RecentLeast } from '../../session/recent-least.ts';

test('the least of one to two windows, whatever was before', (t) => {
  const least = new RecentLeast(10_000);
  t.is(least.value, Number.POSITIVE_INFINITY);
  least.see(40, 1_000);
  for (let now = 2_000; now < 21_000; now += 1_000) least.see(200, now);
  t.is(least.value, 40, 'seen in the window before this one');
  least.see(200, 21_000);
  t.is(least.value, 200);
  least.see(30, 21_500);
  t.is(least.value, 30);
});

test('after a long rest nothing is known any more', (t) => {
  const least = new RecentLeast(10_000);
  least.see(40, 1_000);
  least.see(90, 31_000);
  t.is(least.value, 90);
});
