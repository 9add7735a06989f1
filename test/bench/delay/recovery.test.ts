import test from 'ava';
import { recoveryMs } from '../../../bench/delay/recovery.ts';
import { type Deliveries, join } from '../../../bench/media/deliveries.ts';
import { logOf } from '../media/records.ts';

const DARK = { fromMs: 1_000, toMs: 2_000 };

/** A packet a millisecond for four seconds, with this delay; NaN: lost. */
function run(delayAt: (sentMs: number) => number): Deliveries {
  const sent = Array.from({ length: 4_000 }, (_, i) => ({ sequence: i, sentMs: i }));
  const received = sent.flatMap(({ sequence, sentMs }) => {
    const delay = delayAt(sentMs);
    return Number.isNaN(delay) ? [] : [{ sequence, sentMs, arrivedMs: sentMs + delay }];
  });
  return join(logOf(sent), logOf(received));
}

const isDark = (ms: number) => ms >= DARK.fromMs && ms < DARK.toMs;

test('at once where packets were lost while it was dark and are as before afterwards', (t) => {
  t.is(recoveryMs([run((ms) => (isDark(ms) ? Number.NaN : 20))], DARK, 0), 0);
});

test('until delay is what it was, not until something arrives', (t) => {
  const late = run((ms) => (ms >= 1_000 && ms < 2_300 ? 20 + 2_300 - ms : 20));
  const found = recoveryMs([late], DARK, 0);
  t.true(found >= 290 && found <= 310, `${found}`);
});

test('packets that are dropped are not normal', (t) => {
  t.is(recoveryMs([run((ms) => (ms >= 1_000 && ms < 2_400 ? Number.NaN : 20))], DARK, 0), 400);
});

test('the worse direction counts; never is infinite', (t) => {
  const good = run(() => 20);
  const bad = run((ms) => (ms < 1_000 ? 20 : 500));
  t.is(recoveryMs([good, bad], DARK, 0), Number.POSITIVE_INFINITY);
});

test('one late packet long afterwards is no blackout', (t) => {
  t.is(recoveryMs([run((ms) => (ms === 3_456 ? 90 : 20))], DARK, 0), 0);
});
