/** Conversations: which description is an offer, which an answer, and what came of it. */
import test from 'ava';
import { descriptionsIn, octetsIn } from '../../sip/body.ts';
import { MAX_CALLS, MAX_DESCRIBED, MAX_FORKS } from '../../sip/calls.ts';
import { OfferAnswer } from '../../sip/offer-answer.ts';
import { generator } from '../wire/standing.ts';
import { Conversation, rack, reliable } from './conversation.ts';
import { datagram, names, vector } from './vectors.ts';

/** A call that the phone made and the network answered: `p:o1 c:a1`. */
function established(): Conversation {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  c.answer('core', 200, 'INVITE 1', { sdp: 'a1' });
  c.ask('phone', 'ACK 1');
  c.changes();
  return c;
}

test('[RFC3264] offer in INVITE, answer in 200, hung up', (t) => {
  const c = new Conversation();
  t.is(c.ask('phone', 'INVITE 1 new', { sdp: 'o1' }), 'offer');
  t.deepEqual(c.inUse(), ['p:o1 c: (nobody yet)']);
  t.is(c.answer('core', 100, 'INVITE 1'), 'none');
  t.deepEqual(c.inUse(), ['p:o1 c: (nobody yet)'], '100 opens no dialog');
  t.is(c.answer('core', 180, 'INVITE 1'), 'none');
  t.deepEqual(c.inUse(), ['p:o1 c:']);
  t.is(c.answer('core', 200, 'INVITE 1', { sdp: 'a1' }), 'answer');
  t.deepEqual(c.changes(), ['agreed p:o1 c:a1']);
  t.is(c.ask('phone', 'ACK 1'), 'none');
  t.is(c.ask('core', 'BYE 1'), 'none');
  t.deepEqual(c.changes(), []);
  t.is(c.answer('phone', 200, 'BYE 1'), 'none');
  t.deepEqual([c.changes(), c.inUse()], [['ended'], []]);
});

test('[RFC3264] a call that comes in: the roles of the sides are the other way round', (t) => {
  const c = new Conversation();
  t.is(c.ask('core', 'INVITE 1 new', { sdp: 'o1' }), 'offer');
  t.is(c.answer('phone', 200, 'INVITE 1', { sdp: 'a1' }), 'answer');
  t.deepEqual(c.changes(), ['agreed p:a1 c:o1']);
});

test('[RFC3261] INVITE without an offer: offer in 200, answer in ACK', (t) => {
  const c = new Conversation();
  t.is(c.ask('phone', 'INVITE 1 new'), 'none');
  t.is(c.answer('core', 200, 'INVITE 1', { sdp: 'o1' }), 'offer');
  t.deepEqual(c.inUse(), ['p: c:o1']);
  t.is(c.ask('phone', 'ACK 1', { sdp: 'a1' }), 'answer');
  t.deepEqual(c.changes(), ['agreed p:a1 c:o1']);
});

test('[RFC3261] an ACK that owes the answer and has none withdraws the offer', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new');
  c.answer('core', 200, 'INVITE 1', { sdp: 'o1' });
  t.is(c.ask('phone', 'ACK 1'), 'none');
  t.deepEqual([c.changes(), c.inUse()], [['withdrawn'], ['p: c:']]);
});

test('[RFC3261] early media: 183 shows the answer that 200 brings', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  t.is(c.answer('core', 183, 'INVITE 1', { sdp: 'a1' }), 'preview');
  t.is(c.answer('core', 183, 'INVITE 1', { sdp: 'a1' }), 'preview');
  t.is(c.answer('core', 183, 'INVITE 1', { sdp: 'another' }), 'preview');
  t.deepEqual([c.changes(), c.inUse()], [[], ['p:o1 c:a1']], 'the first one counts');
  t.is(c.answer('core', 200, 'INVITE 1', { sdp: 'a1' }), 'answer');
  t.deepEqual(c.changes(), ['agreed p:o1 c:a1']);
});

test('[RFC3261] a 200 without a description after a 183 with one: the 183 was the answer', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  c.answer('core', 183, 'INVITE 1', { sdp: 'a1' });
  t.is(c.answer('core', 200, 'INVITE 1'), 'none');
  t.deepEqual(c.changes(), ['agreed p:o1 c:a1']);
});

test('[RFC3262] a reliable 183 is the answer, 200 only says it again; UPDATE before that', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  t.is(c.answer('core', 183, 'INVITE 1', { sdp: 'a1', more: reliable(7) }), 'answer');
  t.deepEqual(c.changes(), ['agreed p:o1 c:a1']);
  t.is(c.ask('phone', 'PRACK 2', { more: rack(7, 'INVITE 1') }), 'none');
  t.is(c.answer('core', 200, 'PRACK 2'), 'none');
  t.is(c.ask('phone', 'UPDATE 3', { sdp: 'o2' }), 'offer');
  t.deepEqual(c.inUse(), ['p:o1,o2 c:a1']);
  t.is(c.answer('core', 200, 'UPDATE 3', { sdp: 'a2' }), 'answer');
  t.is(c.answer('core', 200, 'INVITE 1', { sdp: 'a1' }), 'answer');
  t.deepEqual([c.changes(), c.inUse()], [['agreed p:o2 c:a2'], ['p:o2 c:a2']]);
});

test('[RFC3262] offer in a reliable 183, answer in PRACK', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new');
  t.is(c.answer('core', 183, 'INVITE 1', { sdp: 'x' }), 'stray', 'not reliable');
  t.is(c.answer('core', 183, 'INVITE 1', { sdp: 'o1', more: reliable(7) }), 'offer');
  t.is(c.answer('core', 183, 'INVITE 1', { sdp: 'o1', more: reliable(7) }), 'offer', 'again');
  t.is(c.ask('phone', 'PRACK 2', { sdp: 'a1', more: rack(7, 'INVITE 1') }), 'answer');
  t.is(c.ask('phone', 'PRACK 2', { sdp: 'a1', more: rack(7, 'INVITE 1') }), 'answer', 'again');
  t.is(c.answer('core', 200, 'PRACK 2'), 'none');
  t.is(c.answer('core', 200, 'INVITE 1'), 'none');
  t.deepEqual([c.changes(), c.inUse()], [['agreed p:a1 c:o1'], ['p:a1 c:o1']]);
});

test('[RFC3262] offer in PRACK, answer in the 200 to it', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  c.answer('core', 183, 'INVITE 1', { sdp: 'a1', more: reliable(7) });
  t.is(c.ask('phone', 'PRACK 2', { sdp: 'o2', more: rack(7, 'INVITE 1') }), 'offer');
  t.is(c.answer('core', 200, 'PRACK 2', { sdp: 'a2' }), 'answer');
  t.deepEqual(c.changes(), ['agreed p:o1 c:a1', 'agreed p:o2 c:a2']);
});

test('[RFC3261] forks: each has its own answer, the first 200 leaves the others 32 s', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  t.is(c.answer('core', 183, 'INVITE 1', { sdp: 'a1', fork: 'x' }), 'preview');
  t.is(c.answer('core', 183, 'INVITE 1', { sdp: 'a2', fork: 'y', more: reliable(1) }), 'answer');
  t.is(c.answer('core', 180, 'INVITE 1', { fork: 'z' }), 'none');
  t.deepEqual(c.inUse(), ['p:o1 c:a1 (x)', 'p:o1 c:a2 (y)', 'p:o1 c: (z)']);
  c.now = 5_000;
  t.is(c.answer('core', 200, 'INVITE 1', { sdp: 'a1', fork: 'x' }), 'answer');
  t.deepEqual(c.changes(), ['agreed (y) p:o1 c:a2', 'agreed (x) p:o1 c:a1']);
  t.is(c.answer('core', 200, 'INVITE 1', { sdp: 'a3', fork: 'z' }), 'answer', 'answered too');
  c.now = 6_000;
  c.answer('core', 180, 'INVITE 1', { fork: 'y' });
  c.tracker.timeout(36_999);
  t.is(c.tracker.nextTimeout(), 37_000, 'ringing puts it off no more');
  t.deepEqual(c.changes(), ['agreed (z) p:o1 c:a3']);
  c.tracker.timeout(37_000);
  t.deepEqual(c.changes(), ['ended (y)']);
  t.deepEqual(c.inUse(), ['p:o1 c:a1 (x)', 'p:o1 c:a3 (z)']);
  t.is(c.tracker.nextTimeout(), Number.POSITIVE_INFINITY);
});

test('[RFC3261] hold and resume by re-INVITE, from either side', (t) => {
  const c = established();
  t.is(c.ask('phone', 'INVITE 2', { sdp: 'hold' }), 'offer');
  t.deepEqual(c.inUse(), ['p:o1,hold c:a1']);
  t.is(c.answer('core', 200, 'INVITE 2', { sdp: 'held' }), 'answer');
  c.ask('phone', 'ACK 2');
  t.is(c.ask('core', 'INVITE 9', { sdp: 'move' }), 'offer');
  t.is(c.answer('phone', 200, 'INVITE 9', { sdp: 'moved' }), 'answer');
  t.deepEqual(c.changes(), ['agreed p:hold c:held', 'agreed p:moved c:move']);
  t.deepEqual(c.inUse(), ['p:moved c:move']);
});

test('[RFC3261] a refused re-INVITE leaves what was agreed; 481 and 408 end the dialog', (t) => {
  const c = established();
  c.ask('phone', 'INVITE 2', { sdp: 'o2' });
  t.is(c.answer('core', 488, 'INVITE 2', { sdp: 'what I can' }), 'stray');
  t.deepEqual([c.changes(), c.inUse()], [['withdrawn'], ['p:o1 c:a1']]);
  c.ask('phone', 'INVITE 3', { sdp: 'o3' });
  c.answer('core', 401, 'INVITE 3');
  t.is(c.ask('phone', 'INVITE 4', { sdp: 'o3' }), 'offer');
  t.is(c.answer('core', 481, 'INVITE 4'), 'none');
  t.deepEqual([c.changes(), c.inUse()], [['withdrawn', 'withdrawn', 'ended'], []]);
});

test('[RFC3261] glare: both offers are under way, both get 491, both come again', (t) => {
  const c = established();
  t.is(c.ask('phone', 'INVITE 2', { sdp: 'o2' }), 'offer');
  t.is(c.ask('core', 'INVITE 5', { sdp: 'o5' }), 'offer');
  t.deepEqual(c.inUse(), ['p:o1,o2 c:a1,o5']);
  c.answer('core', 491, 'INVITE 2');
  c.answer('phone', 491, 'INVITE 5');
  t.deepEqual([c.changes(), c.inUse()], [['withdrawn', 'withdrawn'], ['p:o1 c:a1']]);
  t.is(c.ask('core', 'INVITE 6', { sdp: 'o5' }), 'offer');
  t.is(c.answer('phone', 200, 'INVITE 6', { sdp: 'a6' }), 'answer');
  t.deepEqual(c.inUse(), ['p:a6 c:o5']);
});

test('[RFC3311] glare of UPDATE and re-INVITE: each is settled by its own transaction', (t) => {
  const c = established();
  c.ask('phone', 'UPDATE 2', { sdp: 'o2' });
  c.ask('core', 'INVITE 5', { sdp: 'o5' });
  t.is(c.answer('phone', 491, 'INVITE 5'), 'none');
  t.is(c.answer('core', 200, 'UPDATE 2', { sdp: 'a2' }), 'answer');
  t.deepEqual(c.changes(), ['withdrawn', 'agreed p:o2 c:a2']);
});

test('[RFC3261] CANCEL: the call ends with the 487, not before', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  c.answer('core', 183, 'INVITE 1', { sdp: 'a1', fork: 'x' });
  c.answer('core', 180, 'INVITE 1', { fork: 'y' });
  t.is(c.ask('phone', 'CANCEL 1 new'), 'none');
  t.is(c.answer('core', 200, 'CANCEL 1'), 'none');
  t.deepEqual(c.changes(), []);
  c.answer('core', 487, 'INVITE 1', { fork: 'z' });
  t.deepEqual([c.changes(), c.inUse()], [['ended (x)', 'ended (y)'], []]);
});

test('[RFC3261] a refusal with the tag of one fork ends them all', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  c.answer('core', 180, 'INVITE 1', { fork: 'x' });
  c.answer('core', 180, 'INVITE 1', { fork: 'y' });
  c.answer('core', 486, 'INVITE 1', { fork: 'x' });
  t.deepEqual(c.changes(), ['ended (x)', 'ended (y)']);
});

test('[RFC3261] BYE to one fork leaves the INVITE for the others', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  c.answer('core', 180, 'INVITE 1', { fork: 'x' });
  c.ask('phone', 'BYE 2', { fork: 'x' });
  c.answer('core', 200, 'BYE 2', { fork: 'x' });
  t.is(c.answer('core', 200, 'INVITE 1', { sdp: 'a1', fork: 'y' }), 'answer');
  t.deepEqual(c.changes(), ['ended (x)', 'agreed (y) p:o1 c:a1']);
});

test('an offer that was given up without a word makes room for the next', (t) => {
  const c = established();
  c.ask('phone', 'INVITE 2', { sdp: 'o2' });
  c.ask('phone', 'INVITE 3', { sdp: 'o3' });
  t.deepEqual(c.inUse(), ['p:o1,o3 c:a1']);
  t.is(c.answer('core', 200, 'INVITE 2', { sdp: 'a2' }), 'stray');
  t.is(c.answer('core', 200, 'INVITE 3', { sdp: 'a3' }), 'answer');
});

test('an INVITE without To tag in a call that was answered ends nothing', (t) => {
  const c = established();
  t.is(c.ask('phone', 'INVITE 9 new', { sdp: 'o9' }), 'offer');
  t.is(c.answer('core', 200, 'INVITE 9', { sdp: 'a9', fork: 'z' }), 'answer');
  t.deepEqual(c.changes(), ['agreed (z) p:o9 c:a9']);
  t.deepEqual(c.inUse(), ['p:o1 c:a1', 'p:o9 c:a9 (z)']);
});

test('a dialog that we had forgotten takes nothing from a call that is ringing', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  t.is(c.ask('phone', 'UPDATE 8', { sdp: 'o8', fork: 'u' }), 'offer');
  t.is(c.answer('core', 200, 'INVITE 1', { sdp: 'a1' }), 'answer');
});

test('[RFC3261] CANCEL that came too late: 200 answers, BYE ends', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  c.ask('phone', 'CANCEL 1 new');
  c.answer('core', 200, 'INVITE 1', { sdp: 'a1' });
  c.ask('phone', 'ACK 1');
  c.ask('phone', 'BYE 2');
  t.deepEqual(c.inUse(), ['p:o1 c:a1']);
  c.answer('core', 200, 'BYE 2');
  t.deepEqual(c.changes(), ['agreed p:o1 c:a1', 'ended']);
});

test('[RFC3261] a challenge ends the attempt, the INVITE with credentials is a new one', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  c.answer('core', 407, 'INVITE 1');
  t.deepEqual(c.changes(), ['ended (nobody yet)']);
  t.is(c.ask('phone', 'INVITE 2 new', { sdp: 'o1' }), 'offer');
  t.is(c.answer('core', 200, 'INVITE 2', { sdp: 'a1' }), 'answer');
});

test('[RFC3261] a BYE that is challenged does not end the dialog', (t) => {
  const c = established();
  c.ask('phone', 'BYE 2');
  c.answer('core', 183, 'BYE 2');
  c.answer('core', 407, 'BYE 2');
  t.deepEqual(c.inUse(), ['p:o1 c:a1']);
  c.ask('phone', 'BYE 3');
  c.answer('core', 481, 'BYE 3');
  t.deepEqual([c.changes(), c.inUse()], [['ended'], []]);
});

test('[RFC3261] retransmissions of every message change nothing and say the same', (t) => {
  const c = new Conversation();
  const twice = (step: () => string, role: string) => {
    t.is(step(), role);
    t.is(step(), role);
  };
  twice(() => c.ask('phone', 'INVITE 1 new', { sdp: 'o1' }), 'offer');
  twice(() => c.answer('core', 183, 'INVITE 1', { sdp: 'a1', more: reliable(1) }), 'answer');
  twice(() => c.ask('phone', 'PRACK 2', { sdp: 'o2', more: rack(1, 'INVITE 1') }), 'offer');
  twice(() => c.answer('core', 200, 'PRACK 2', { sdp: 'a2' }), 'answer');
  twice(() => c.answer('core', 200, 'INVITE 1', { sdp: 'a1' }), 'answer');
  twice(() => c.ask('core', 'INVITE 1'), 'none');
  twice(() => c.answer('phone', 200, 'INVITE 1', { sdp: 'o3' }), 'offer');
  twice(() => c.ask('core', 'ACK 1', { sdp: 'a3' }), 'answer');
  t.is(c.ask('phone', 'INVITE 1 new', { sdp: 'o1' }), 'offer', 'long after');
  t.deepEqual(c.changes(), ['agreed p:o1 c:a1', 'agreed p:o2 c:a2', 'agreed p:o3 c:a3']);
  t.deepEqual(c.inUse(), ['p:o3 c:a3']);
});

test('descriptions outside an exchange are strays', (t) => {
  const c = established();
  t.is(c.ask('phone', 'OPTIONS 2', { sdp: 'x' }), 'stray');
  t.is(c.answer('core', 200, 'OPTIONS 2', { sdp: 'x' }), 'stray');
  t.is(c.answer('core', 200, 'UPDATE 77', { sdp: 'x' }), 'stray');
  t.is(c.ask('phone', 'ACK 77', { sdp: 'x' }), 'stray');
  t.is(c.answer('core', 200, 'INVITE 1', { sdp: 'x', fork: 'other' }), 'answer', 'a fork');
  t.is(c.answer('core', 200, 'INVITE 3', { sdp: 'x', fork: 'stranger' }), 'stray');
  t.is(c.ask('core', 'PRACK 1', { sdp: 'x', fork: 'stranger' }), 'stray');
});

test('after a restart a dialog is known from the first offer inside it', (t) => {
  const c = new Conversation();
  t.is(c.ask('core', 'INVITE 5', { sdp: 'o5' }), 'offer');
  t.is(c.answer('phone', 200, 'INVITE 5', { sdp: 'a5' }), 'answer');
  t.deepEqual(c.changes(), ['agreed p:a5 c:o5']);
  c.ask('phone', 'BYE 1');
  c.answer('core', 200, 'BYE 1');
  t.deepEqual(c.changes(), ['ended']);
});

test('an INVITE of which nothing is heard ends after 64 T1, ringing after ten minutes', (t) => {
  for (const status of [100, 180]) {
    const c = new Conversation();
    c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
    t.is(c.tracker.nextTimeout(), 32_000);
    c.now = 16_000;
    c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
    c.tracker.timeout(32_000);
    t.deepEqual(c.changes(), [], 'said again');
    c.answer('core', status, 'INVITE 1');
    c.now = 20_000;
    c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
    c.tracker.timeout(615_999);
    t.deepEqual(c.changes(), []);
    c.tracker.timeout(616_000);
    const who = status === 100 ? ' (nobody yet)' : '';
    t.deepEqual([c.changes(), c.inUse()], [[`ended${who}`], []]);
  }
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  c.tracker.timeout(32_000);
  t.deepEqual([c.changes(), c.inUse()], [['ended (nobody yet)'], []]);
});

test('[RFC3261] a dialog ends 64 T1 after a BYE that nobody answers; a challenge puts that off', (t) => {
  const c = established();
  c.ask('core', 'BYE 1');
  t.is(c.tracker.nextTimeout(), 32_000);
  c.answer('phone', 401, 'BYE 1');
  c.tracker.timeout(40_000);
  t.deepEqual(c.inUse(), ['p:o1 c:a1']);
  c.now = 50_000;
  c.ask('core', 'BYE 2');
  c.tracker.timeout(81_999);
  t.deepEqual(c.inUse(), ['p:o1 c:a1']);
  c.tracker.timeout(82_000);
  t.deepEqual([c.changes(), c.inUse()], [['ended'], []]);
});

test('one phone rings another behind the same element: two legs of one Call-ID', (t) => {
  const c = new Conversation();
  c.ask('phone', 'INVITE 1 new', { sdp: 'o1' });
  t.is(c.ask('core', 'INVITE 1 new', { sdp: 'o1', fork: 'p' }), 'offer');
  t.is(c.inUse().length, 2);
});

test('the recorded call: answered, on hold, resumed, hung up', (t) => {
  const tracker = new OfferAnswer();
  const roles = names('recorded')
    .filter((name) => name.startsWith('call-'))
    .map((name) => {
      const message = datagram(vector('recorded', name));
      const [description] = descriptionsIn(message) ?? [];
      const sdp = description === undefined ? undefined : octetsIn(message, description);
      if (message.type === 'request') return tracker.request('phone', message, sdp, 0);
      return tracker.response('core', message, sdp, 0);
    });
  const exchange = ['offer', 'answer', 'none'];
  t.deepEqual(roles, ['offer', 'none', 'answer', 'none', ...exchange, ...exchange, 'none', 'none']);
  const types: string[] = [];
  for (let one = tracker.poll(); one !== undefined; one = tracker.poll()) types.push(one.type);
  t.deepEqual(types, ['agreed', 'agreed', 'agreed', 'ended']);
});

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
