import test from 'ava';
import { join } from '../../../bench/media/deliveries.ts';
import { logOf } from './records.ts';

test('each packet has its delay; one that never arrived has none', (t) => {
  const sent = logOf([
    { flow: 0, sequence: 0, sentMs: 1 },
    { flow: 1, sequence: 0, sentMs: 2 },
    { flow: 0, sequence: 1, sentMs: 21 },
  ]);
  const received = logOf([
    { flow: 1, sequence: 0, sentMs: 2, arrivedMs: 22 },
    { flow: 0, sequence: 1, sentMs: 21, arrivedMs: 51 },
  ]);
  const { delayMs, flows, sentMs } = join(sent, received);
  t.deepEqual([...delayMs], [Number.NaN, 20, 30]);
  t.deepEqual([...flows], [0, 1, 0]);
  t.deepEqual([...sentMs], [1, 2, 21]);
});

test('of a packet that came twice the first counts', (t) => {
  const sent = logOf([{ sequence: 0, sentMs: 0 }]);
  const received = logOf([
    { sequence: 0, sentMs: 0, arrivedMs: 5 },
    { sequence: 0, sentMs: 0, arrivedMs: 50 },
  ]);
  t.deepEqual([...join(sent, received).delayMs], [5]);
});

test('what nobody sent is nothing', (t) => {
  const received = logOf([{ flow: 7, sequence: 3, sentMs: 0, arrivedMs: 5 }]);
  t.is(join(logOf([]), received).length, 0);
});
