import test from 'ava';
import { FAULT_LIMIT, FAULTS, faultAction, faultMeaning, faultName } from '../../wire/faults.ts';

test('every fault has a number, a name of its own, a meaning and an action', (t) => {
  const all = Object.values(FAULTS);
  t.is(new Set(all).size, all.length);
  t.is(new Set(all.map(faultName)).size, all.length);
  for (const fault of all) {
    t.true(fault > 0 && fault < FAULT_LIMIT);
    t.regex(faultName(fault), /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    t.regex(faultMeaning(faultName(fault)) ?? '', /^\S.{8,}/);
    t.true(['drop', 'answer', 'close'].includes(faultAction(fault)));
  }
  t.is(faultMeaning('no-such-fault'), undefined);
});
