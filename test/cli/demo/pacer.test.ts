import test from 'ava';
import { Pacer } from '../../../cli/demo/pacer.ts';
import { now } from '../../../io/clock.ts';

test('every packet of every stream once, in order, never before it is due', async (t) => {
  const sent: Array<readonly [stream: number, n: number]> = [];
  const startMs = now() + 5;
  const early: number[] = [];
  const pacer = new Pacer({
    periodMs: 2,
    packets: 20,
    streams: 7,
    send: (stream, n) => {
      sent.push([stream, n]);
      if (now() < startMs + pacer.offsetMs(stream) + n * 2) early.push(n);
    },
  });
  await pacer.run(startMs);
  const expected = Array.from({ length: 140 }, (_, i) => [i % 7, Math.floor(i / 7)]);
  t.deepEqual(sent, expected);
  t.deepEqual(early, []);
});

test('a late start is made up for, and the event loop gets its turn meanwhile', async (t) => {
  let sent = 0;
  let turns = 0;
  const pacer = new Pacer({ periodMs: 20, packets: 500, streams: 2, send: () => sent++ });
  const count = () => {
    turns += 1;
    if (sent < 1_000) setImmediate(count);
  };
  count();
  // All 500 are overdue: 10 s of them.
  await pacer.run(now() - 20_000);
  t.is(sent, 1_000);
  t.true(turns >= 10, `${turns} turns`);
});

test('stopping ends it at once', async (t) => {
  let sent = 0;
  const pacer = new Pacer({ periodMs: 1, packets: 1e9, streams: 1, send: () => sent++ });
  const running = pacer.run(now());
  await new Promise((resolve) => setImmediate(resolve));
  pacer.stop();
  const atStop = sent;
  await running;
  t.is(sent, atStop);
});
