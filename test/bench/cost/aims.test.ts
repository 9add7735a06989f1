import test from 'ava';
import { isMet } from '../../../bench/aims.ts';
import { costAims } from '../../../bench/cost/aims.ts';
import type { Cost } from '../../../bench/cost/measure.ts';
import type { Subject } from '../../../bench/cost/scenes.ts';

function cost(subject: Subject, clientUs: number, serverUs: number, perSecond = 50_000): Cost {
  const rest = { lostPercent: 0, clientMb: 1, serverMb: 1 };
  return { subject, direction: 'up', perSecond, clientUs, serverUs, ...rest };
}

const OTHERS = [cost('turn-tcp', 0, 4), cost('udptunnel', 4, 4), cost('floor', 1, 1)];

test('ratios to each peer and to the floor, in each direction that was measured', (t) => {
  const aims = costAims([cost('tep-rings', 2, 1.5), ...OTHERS]);
  t.deepEqual(
    aims.map(({ figure, aim }) => [figure, aim]),
    [
      [0.375, 0.5],
      [0.375, 0.5],
      [1.5, 1.5],
      [0.5, 0.5],
    ],
  );
  t.true(aims.every(isMet));
});

test('each can be missed', (t) => {
  const aims = costAims([cost('tep-rings', 2.1, 2.1), ...OTHERS]);
  t.false(aims.some(isMet));
});

test('other rates and sockets do not count', (t) => {
  t.deepEqual(costAims([cost('tep-rings', 2, 2, 2_000), cost('tep-sockets', 2, 2), ...OTHERS]), []);
});
