import test from 'ava';
import { type Deliveries, join } from '../../../bench/media/deliveries.ts';
import { framesOf, summarise } from '../../../bench/media/summary.ts';
import { logOf } from './records.ts';

const ALL = { flow: () => true, fromMs: 0, toMs: Number.POSITIVE_INFINITY };

/** One flow, a packet a millisecond; NaN: lost. */
function run(delays: readonly number[]): Deliveries {
  const sent = delays.map((_, i) => ({ sequence: i, sentMs: i }));
  const received = sent.flatMap((record, i) => {
    const delay = delays[i] ?? Number.NaN;
    return Number.isNaN(delay) ? [] : [{ ...record, arrivedMs: record.sentMs + delay }];
  });
  return join(logOf(sent), logOf(received));
}

test('quantiles are those of the packets that arrived, loss and lateness those of all', (t) => {
  const delays = Array.from({ length: 1_000 }, (_, i) => i / 10);
  delays[0] = Number.NaN;
  delays[1] = 151;
  delays[2] = 150;
  const summary = summarise([run(delays)], ALL);
  t.is(summary.packets, 1_000);
  t.true(Math.abs(summary.p50 - 50.3) < 0.3, `${summary.p50}`);
  t.true(Math.abs(summary.p99 - 99.3) < 0.3, `${summary.p99}`);
  t.is(summary.p999, 151);
  t.is(summary.max, 151);
  t.is(summary.lostPercent, 0.1);
  t.is(summary.latePercent, 0.1, '150 ms is not late');
  t.is(summary.ofSent.p999, Number.POSITIVE_INFINITY);
  t.true(Math.abs(summary.ofSent.p99 - 99.3) < 0.3);
});

test('both directions count together; flows and times can be left out', (t) => {
  const [up, down] = [run([10, 10]), run([30, 30])];
  t.is(summarise([up, down], ALL).packets, 4);
  t.is(summarise([up, down], ALL).max, 30);
  t.is(summarise([up, down], { ...ALL, fromMs: 1 }).packets, 2);
  t.is(summarise([up, down], { ...ALL, toMs: 1 }).packets, 2);
  t.is(summarise([up], { ...ALL, flow: () => false }).packets, 0);
});

test('MOS: as good as G.711 gets, worse with loss, no better for a packet that is too late', (t) => {
  const good = Array.from({ length: 1_000 }, () => 20);
  const losing = (every: number, delay: number) =>
    good.map((usual, i) => (i % every === 0 ? delay : usual));
  const best = summarise([run(good)], ALL).mos;
  t.true(best > 4.3 && best < 4.5, `${best}`);
  const lost = summarise([run(losing(20, Number.NaN))], ALL).mos;
  t.true(lost < best - 0.3, `${lost}`);
  t.is(summarise([run(losing(20, 5_000))], ALL).mos, lost);
});

test('frames are whole, in part or not at all', (t) => {
  const sent = [1, 1, 2, 2, 3].map((timestamp, i) => ({ sequence: i, timestamp, sentMs: i }));
  const received = [0, 1, 2].map((sequence) => ({ sequence, sentMs: sequence, arrivedMs: 9 }));
  t.deepEqual(framesOf([join(logOf(sent), logOf(received))], ALL), { whole: 1, part: 1, none: 1 });
});
