import test from 'ava';
import { burstRatio, G711, mos, mosOfRating, rating } from '../../ops/mos.ts';

test('[G.107 annex B] MOS of round ratings', (t) => {
  // Table B.1 of G.107, whose 4.03 for R = 80 is rounded up from 4.024.
  const pairs = [
    [90, 4.34],
    [80, 4.03],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
  ] as const;
  for (const [r, expected] of pairs) t.true(Math.abs(mosOfRating(r) - expected) < 0.007, `R ${r}`);
  t.is(mosOfRating(0), 1);
  t.is(mosOfRating(-5), 1);
  t.is(mosOfRating(100), 4.5);
  t.is(mosOfRating(120), 4.5);
});

test('[G.107 clause 7.7] default values give R 93.2 and MOS 4.41', (t) => {
  t.is(rating(G711, 0, 0), 93.2);
  t.is(mos(G711, 0, 0).toFixed(2), '4.41');
});

test('[G.107 clause 7.4] delay: 100 ms hardly matters, 400 ms does', (t) => {
  t.is(rating(G711, 100, 0).toFixed(1), '90.8');
  t.is(rating(G711, 177.3, 0).toFixed(2), '88.94');
  // 0.024 · 400 + 0.11 · 222.7 = 34.1; G.114 draws R of about 60 at 400 ms.
  t.is(rating(G711, 400, 0).toFixed(1), '59.1');
});

test('[G.107 equation 7-29] loss: the robustness of the codec is where half the scale is gone', (t) => {
  // Ppl = Bpl: Ie,eff = (95 − 0) / 2.
  t.is(rating(G711, 0, 0.251).toFixed(2), (93.2 - 47.5).toFixed(2));
  // 1 % loss, G.711 with concealment: 95 · 1 / 26.1 = 3.64.
  t.is(rating(G711, 0, 0.01).toFixed(2), '89.56');
  t.is(rating({ impairment: 11, robustness: 19 }, 0, 0).toFixed(1), '82.2');
  t.is(mos(G711, 10_000, 1), 1);
});

test('quality never rises with delay or loss', (t) => {
  for (let i = 0; i < 100; i++) {
    t.true(mos(G711, i * 10, 0) >= mos(G711, (i + 1) * 10, 0));
    t.true(mos(G711, 50, i / 101) >= mos(G711, 50, (i + 1) / 101));
  }
});

test('impossible arguments are our own mistake', (t) => {
  for (const [delayMs, loss] of [
    [-1, 0],
    [0, 1.01],
    [0, -0.1],
    [Number.NaN, 0],
    [0, Number.NaN],
  ] as const) {
    t.throws(() => mos(G711, delayMs, loss), { instanceOf: RangeError });
  }
});

test('[G.107 equation 7-29] the same loss in bursts is worse', (t) => {
  // 95 · 2 / (2 / 2 + 25.1) = 7.28 instead of 95 · 2 / 27.1 = 7.01.
  t.is(rating(G711, 0, 0.02).toFixed(2), '86.19');
  t.is(rating(G711, 0, 0.02, 2).toFixed(2), '85.92');
  t.throws(() => rating(G711, 0, 0.02, 0.5), { instanceOf: RangeError });
});

test('[G.107 clause 3.5] burst ratio: 1 for random loss, the mean gap in its units otherwise', (t) => {
  t.is(burstRatio(0, 0, 0), 1);
  // Every second packet lost at random makes gaps of two on average.
  t.is(burstRatio(100, 50, 0.5), 1);
  t.is(burstRatio(100, 10, 0.5), 5);
  t.is(burstRatio(5, 10, 0.01), 1);
});
