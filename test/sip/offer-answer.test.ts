/** Conversations: which description is an offer, which an answer, and what came of it. */
import test from 'ava';
import { descriptionsIn, octetsIn } from '../../sip/body.ts';
import { OfferAnswer } from '../../sip/offer-answer.ts';
import { Conversation, established, rack, reliable } from './conversation.ts';
import { datagram, names, vector } from './vectors.ts';

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
