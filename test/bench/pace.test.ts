import test from 'ava';
import { Pace } from '../../bench/pace.ts';

test('as many as the time makes due, each once', (t) => {
  const pace = new Pace();
  t.is(pace.take(5), 0, 'not started');
  pace.start(50_000, 1_000);
  const taken = [1_000, 1_001, 1_001, 1_003.5, 1_010].map((now) => pace.take(now));
  t.deepEqual(taken, [0, 50, 0, 125, 325]);
});

test('what is more than 10 ms late is left out', (t) => {
  const pace = new Pace();
  pace.start(50_000, 1_000);
  t.is(pace.take(1_100), 500);
  t.is(pace.take(1_101), 50);
});
