import test from 'ava';
import { isAlive, isSameRun, namespaceName, ownRun, runOf } from '../../lab/run-id.ts';

test('the name of a namespace tells whose it is', (t) => {
  const own = ownRun();
  const name = namespaceName(own, 3, 'carrier-nat');
  t.regex(name, /^tep-lab-[0-9]+-[0-9]+-3-carrier-nat$/);
  t.deepEqual(runOf(name), own);
  t.true(isSameRun(own, { ...own }));
});

test('a run lives as long as the process that began when it says', (t) => {
  const own = ownRun();
  t.true(isAlive(own));
  // The number of a process that has ended may be given to another one.
  t.false(isAlive({ ...own, startTicks: own.startTicks - 1 }));
  t.false(isSameRun(own, { ...own, startTicks: own.startTicks - 1 }));
  // More than a process number can be.
  t.false(isAlive({ pid: 2 ** 22 + 1, startTicks: 1 }));
});

test('names of others are none of ours', (t) => {
  for (const name of ['ue', 'tep-lab', 'tep-lab-1-2-ue', 'xtep-lab-1-2-3-ue', 'tep-lab-1-2-3-U.']) {
    t.is(runOf(name), undefined, name);
  }
});
