import test from 'ava';
import { now, turnMs } from '../../io/clock.ts';

test('the time of packets stands still until somebody reads the clock', (t) => {
  const first = turnMs();
  for (const endMs = performance.now() + 2; performance.now() < endMs; );
  t.is(turnMs(), first);
  const read = now();
  t.true(read > first);
  t.true(turnMs() >= read);
  t.is(turnMs(), turnMs());
});
