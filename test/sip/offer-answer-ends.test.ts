/** How calls and offers end, and what ends nothing. */
import test from 'ava';
import { Conversation, established, rack, reliable } from './conversation.ts';

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
