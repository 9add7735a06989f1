/** What is remembered of calls at most, and messages in any order. */
import test from 'ava';
import { MAX_CALLS, MAX_DESCRIBED, MAX_FORKS } from '../../sip/calls.ts';
import { generator } from '../wire/standing.ts';
import { Conversation, established, rack, reliable } from './conversation.ts';

test(`memory: ${MAX_FORKS} forks, and the longest silent of more calls than ${MAX_CALLS} is forgotten`, (t) => {
  const c = established();
  for (let i = 0; i < 2 * MAX_FORKS; i++) c.answer('core', 180, 'INVITE 1', { fork: `f${i}` });
  t.is(c.inUse().length, MAX_FORKS);
  const { tracker } = c;
  let ended = 0;
  for (let i = 0; i < MAX_CALLS + 10; i++) {
    const other = new Conversation(`call ${i}`);
    Object.assign(other, { tracker });
    other.ask('phone', 'INVITE 1 new', { sdp: 'o' });
    while (tracker.poll() !== undefined) ended += 1;
  }
  t.is(tracker.standing().length, MAX_CALLS);
  t.is(ended, MAX_FORKS + 10);
  const stranger = new Conversation('adopted');
  Object.assign(stranger, { tracker });
  for (let i = 0; i < 10; i++) stranger.ask('core', 'UPDATE 1', { sdp: 'o', fork: `s${i}` });
  t.is(tracker.standing().length, MAX_CALLS);
});

test('memory: long descriptions leave room for fewer calls, and the longest silent make it', (t) => {
  const c = established();
  const { tracker } = c;
  const sdp = 'o'.repeat(60_000);
  const most = Math.floor(MAX_DESCRIBED / sdp.length);
  for (let i = 0; i < most + 10; i++) {
    const other = new Conversation(`call ${i}`);
    Object.assign(other, { tracker });
    other.ask('core', 'INVITE 1 new', { sdp });
    other.ask('core', 'INVITE 1 new', { sdp });
  }
  t.is(tracker.standing().length, most);
  t.is(tracker.standing('call 9').length, 0);
  t.is(tracker.standing('call 10').length, 1);
  // What has ended takes no room any more.
  const long = new Conversation(`call ${most}`);
  Object.assign(long, { tracker });
  long.answer('phone', 486, 'INVITE 1');
  t.is(tracker.standing().length, most - 1);
  const next = new Conversation('next');
  Object.assign(next, { tracker });
  next.ask('core', 'INVITE 1 new', { sdp });
  t.is(tracker.standing().length, most);
});

test('memory: of a long call the last 16 transactions are remembered', (t) => {
  const c = established();
  for (let i = 2; i <= 20; i++) {
    c.ask('phone', `INVITE ${i}`, { sdp: `o${i}` });
    c.answer('core', 200, `INVITE ${i}`, { sdp: `a${i}` });
  }
  t.is(c.answer('core', 200, 'INVITE 20', { sdp: 'a20' }), 'answer');
  t.is(c.answer('core', 200, 'INVITE 2', { sdp: 'a2' }), 'stray');
});

test('20,000 messages in any order: no throw, every agreement is of what the sides said', (t) => {
  const random = generator(20_261_125);
  const pick = <T>(...list: readonly [T, ...T[]]) => list[random(list.length)] ?? list[0];
  const c = new Conversation();
  let agreed = 0;
  for (let i = 0; i < 20_000; i++) {
    const from = pick('phone' as const, 'core' as const);
    const method = pick('INVITE', 'INVITE', 'ACK', 'PRACK', 'UPDATE', 'BYE', 'CANCEL');
    const what = `${method} ${1 + random(3)}`;
    const more = pick<readonly string[]>([], reliable(1), rack(1, 'INVITE 1'));
    const told = { fork: pick('c', 'd'), more, ...(random(2) === 0 ? {} : { sdp: `${from}${i}` }) };
    if (random(2) === 0)
      c.ask(from, method === 'INVITE' && random(2) === 0 ? `${what} new` : what, told);
    else c.answer(from, pick(180, 183, 200, 200, 407, 487, 491, 481), what, told);
    c.now += random(1_000);
    if (random(50) === 0) c.tracker.timeout(c.now);
    for (const change of c.changes()) {
      if (!change.startsWith('agreed')) continue;
      agreed += 1;
      if (!/ p:phone\d+ c:core\d+$/.test(change)) t.fail(change);
    }
    if (c.inUse().length > 8) t.fail('dialogs are left over');
  }
  t.true(agreed > 30, `${agreed}`);
});
