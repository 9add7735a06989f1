import test from 'ava';
import { isMet } from '../../bench/aims.ts';
import { resultsIn } from '../../bench/results.ts';

test('what never came meets no aim after it was written and read', (t) => {
  const aim = {
    name: '',
    unit: 'ms',
    bound: 'at most',
    aim: 300,
    figure: Number.POSITIVE_INFINITY,
  };
  const read = resultsIn(JSON.stringify({ aims: [aim], points: [[1, null]] }));
  const { aims, points } = read as { aims: Parameters<typeof isMet>[0][]; points: unknown };
  t.is(aims.length, 1);
  t.false(aims.some(isMet));
  t.deepEqual(points, [[1, null]]);
});
