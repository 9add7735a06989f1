/** Heads of messages over the sidecar: what the core sees of the phone, and the phone of the sidecar. */
import test from 'ava';
import { MAX_CALLS } from '../../../sip/calls.ts';
import { fieldsOf, valueText } from '../../../sip/fields.ts';
import { header, type Message } from '../../../sip/message.ts';
import { Ladder } from '../../../sip/sidecar/ladder.ts';
import { MAX_CONTACTS } from '../../../sip/sidecar/phones.ts';
import { MAX_TRANSACTIONS } from '../../../sip/sidecar/transactions.ts';
import { MAX_BEHIND, MAX_WAITING } from '../../../sip/sidecar/waiting.ts';
import { audio, Driver, PROXY, TUNNEL } from './driver.ts';

function values(message: Message | undefined, key: string): string[] {
  if (message === undefined) throw new Error('no message');
  return fieldsOf(message.fields, key).map((field) => valueText(message.text, field));
}

test('[R-01] [R-05] the core sees one Via without an address; the phone gets all of its own back', (t) => {
  const d = new Driver();
  const more = [
    'Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKinner,',
    ' SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKin',
  ];
  const seen = d.phoneAsks('REGISTER 1', { more });
  const [via = '', ...others] = values(seen, 'via');
  t.regex(via, /^SIP\/2\.0\/TLS tep-test\.invalid;rport;branch=z9hG4bK[0-9a-f.]+;keep$/);
  t.deepEqual(others, []);
  t.notRegex(seen?.text ?? '', /10\.0\.0\./);
  const back = d.coreAnswers(seen, 200);
  t.deepEqual(values(back, 'via').join(', ').split(', '), [
    'SIP/2.0/UDP 127.0.0.1:5070;rport=5070;branch=z9hG4bKphonecallREGISTER1;received=127.0.0.1',
    'SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKinner',
    'SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKin',
  ]);
});

test('only the phone sees that its route was recorded; in its dialogs the route is taken out', (t) => {
  const d = new Driver();
  const invite = d.phoneAsks('INVITE 1');
  t.deepEqual(values(invite, 'record-route'), []);
  const ok = d.coreAnswers(invite, 200, { more: ['Record-Route: <sip:198.51.100.1;lr>'] });
  t.deepEqual(values(ok, 'record-route'), ['<sip:198.51.100.1;lr>', `<sip:${PROXY};lr>`]);
  const route = `Route: <sip:${PROXY};lr>, <sip:198.51.100.1;lr>`;
  t.deepEqual(values(d.phoneAsks('BYE 2', { to: 'x', more: [route] }), 'route'), [
    '<sip:198.51.100.1;lr>',
  ]);
  const down = d.coreAsks('INVITE 1', {
    callId: 'in',
    more: ['Record-Route: <sip:198.51.100.1;lr>'],
  });
  t.deepEqual(values(down, 'record-route'), [`<sip:${PROXY};lr>`, '<sip:198.51.100.1;lr>']);
  const answer = d.phoneAnswers(down, 200);
  t.deepEqual(values(answer, 'record-route'), ['<sip:198.51.100.1;lr>']);
});

test('[RFC6665] a NOTIFY may be what opens the dialog: the phone finds our route in it', (t) => {
  const d = new Driver();
  d.phoneAsks('SUBSCRIBE 1');
  const notify = d.coreAsks('NOTIFY 1', { to: 'p', more: ['Record-Route: <sip:198.51.100.1;lr>'] });
  t.deepEqual(values(notify, 'record-route'), [`<sip:${PROXY};lr>`, '<sip:198.51.100.1;lr>']);
  const ok = d.phoneAnswers(notify, 200);
  t.deepEqual(values(ok, 'record-route'), ['<sip:198.51.100.1;lr>']);
});

test('a request of the core goes to the phone that gave the Contact, else by its user, else to nobody', (t) => {
  const d = new Driver();
  t.is(d.coreAsks('OPTIONS 1'), undefined);
  t.regex(d.sent('to-core')[0]?.text ?? '', /^SIP\/2\.0 480 /);
  d.phoneAsks('REGISTER 1');
  t.not(d.coreAsks('OPTIONS 2'), undefined);
  t.deepEqual(d.drops(), { 'no-phone': 1 });
});

test('a registration is told to be short, and is known as the registrar has it', (t) => {
  const d = new Driver();
  const register = d.phoneAsks('REGISTER 1', { more: ['Expires: 3600'] });
  const ok = d.coreAnswers(register, 200, {
    more: ['Contact: <sip:alice@127.0.0.1:5070>;expires=3600, <sip:other@10.0.0.1>;expires=30'],
  });
  t.is(
    header(ok ?? failed(), 'contact')
      ?.match(/expires=\d+/g)
      ?.join(),
    'expires=120,expires=30',
  );
  t.is(d.sidecar.registrations(0)[0]?.expiresAtMs, 3_600_000);
});

test('the answer to a refused INVITE is not followed by an ACK for the core', (t) => {
  const d = new Driver();
  const invite = d.phoneAsks('INVITE 1', { more: ['Proxy-Require: magic'] });
  t.is(invite, undefined);
  t.regex(d.sent('to-phone')[0]?.text ?? '', /^SIP\/2\.0 420 /);
  const branch = 'z9hG4bKphonecallINVITE1';
  t.is(d.phoneAsks('ACK 1', { branch }), undefined);
  t.deepEqual(d.drops(), { refused: 1, 'refused-ack': 1 });
});

test('responses that answer nothing of ours are dropped, from either side', (t) => {
  const d = new Driver();
  const seen = d.phoneAsks('OPTIONS 1');
  const other = new Driver();
  t.is(other.coreAnswers(seen, 200), undefined);
  t.is(other.phoneAnswers(seen, 200), undefined);
  t.deepEqual(other.drops(), { 'no-transaction': 1, 'bad-response': 1 });
});

test('what waits has a limit, in one call and in all', (t) => {
  const d = new Driver(TUNNEL, false);
  d.phoneAsks('INVITE 1', { sdp: audio('10.0.0.2:4000') });
  for (let i = 0; i < MAX_BEHIND + 5; i++) d.phoneAsks(`INFO ${i + 2}`);
  t.is(d.drops()['too-many-waiting'], 5);
  for (let i = 0; i < MAX_WAITING; i++) {
    d.phoneAsks('INVITE 1', { callId: `c${i}`, sdp: audio(`10.0.0.2:${10_000 + 2 * i}`) });
  }
  t.is(d.sidecar.calls.waiting, MAX_WAITING);
});

test('floods: calls, transactions and contacts stay within their limits', (t) => {
  const d = new Driver();
  const count = MAX_CALLS + 500;
  for (let i = 0; i < count; i++) {
    const port = 1_024 + 2 * (i % 20_000);
    d.phoneAsks('INVITE 1', { callId: `c${i}`, sdp: audio(`10.0.${i % 250}.2:${port}`) });
    d.outputs.length = 0;
  }
  t.true(d.sidecar.calls.all <= MAX_CALLS);
  t.true(count > MAX_TRANSACTIONS && count > MAX_CONTACTS);
});

test('an agent that is ending: new calls of either side get 503, those that there are go on', (t) => {
  const d = new Driver();
  const invite = d.phoneAsks('INVITE 1', { sdp: audio('10.0.0.2:4000') });
  d.coreAnswers(invite, 200, { sdp: audio('203.0.113.9:30000') });
  d.sidecar.drain();
  // The same again: its answer may have been lost.
  t.not(d.phoneAsks('INVITE 1', { sdp: audio('10.0.0.2:4000') }), undefined);
  const statusOf = (type: 'to-phone' | 'to-core') => {
    const last = d.sent(type).at(-1);
    return last?.type === 'response' ? last.status : 0;
  };
  const before = d.sent('to-core').length;
  d.phoneAsks('INVITE 1', { callId: 'new', sdp: audio('10.0.0.2:4002') });
  t.is(statusOf('to-phone'), 503);
  t.is(d.sent('to-core').length, before);
  d.coreAsks('INVITE 1', { callId: 'in', sdp: audio('203.0.113.9:30002') });
  t.is(statusOf('to-core'), 503);
  t.not(d.phoneAsks('INFO 2', { to: 'x' }), undefined);
  t.not(d.phoneAsks('BYE 3', { to: 'x' }), undefined);
  t.not(d.phoneAsks('REGISTER 1', { callId: 'reg' }), undefined);
  t.deepEqual(d.drops(), { draining: 2 });
});

test('the ladder: one after the other or side by side, the good one first when it breaks', (t) => {
  const ladder = new Ladder(['udp', 'tcp', 'tls'], () => 1);
  t.is(ladder.next(), 'udp');
  t.is(ladder.next(), 'tcp');
  t.deepEqual(ladder.failed('tcp'), { type: 'next' });
  t.is(ladder.next(), 'tls');
  t.is(ladder.next(), undefined);
  t.deepEqual(ladder.failed('udp'), { type: 'others' });
  ladder.proven('tls');
  t.is(ladder.next(), undefined);
  t.deepEqual(ladder.failed('tls'), { type: 'next' });
  t.is(ladder.next(), 'tls');
  t.deepEqual(ladder.failed('tls'), { type: 'next', returnMs: 500 });
  t.is(ladder.next(), 'udp');
  ladder.reset();
  t.is(ladder.back(), undefined);
  t.is(ladder.next(), 'udp');
});

test('the ladder: the one that worked and broke comes back beside the others, for a while', (t) => {
  const ladder = new Ladder(['udp', 'tls'], () => 1);
  ladder.next();
  ladder.next();
  ladder.proven('tls');
  ladder.failed('tls');
  t.is(ladder.next(), 'tls');
  for (const returnMs of [500, 1_000, 2_000, 4_000, 8_000]) {
    t.like(ladder.failed('tls'), { returnMs });
    if (returnMs === 500) t.is(ladder.next(), 'udp');
    if (returnMs === 1_000) t.deepEqual(ladder.failed('udp'), { type: 'others' });
    t.is(ladder.back(), 'tls');
    t.is(ladder.back(), undefined);
  }
  t.like(ladder.failed('tls'), { type: 'pause' });
  t.is(ladder.next(), 'udp');
  t.is(ladder.next(), 'tls');
  t.deepEqual(ladder.failed('tls'), { type: 'others' });
});

test('the ladder: what worked before does not come back when another works', (t) => {
  const ladder = new Ladder(['udp', 'tls'], () => 1);
  ladder.next();
  ladder.proven('udp');
  ladder.failed('udp');
  ladder.next();
  t.deepEqual(ladder.failed('udp'), { type: 'next', returnMs: 500 });
  t.is(ladder.next(), 'tls');
  ladder.proven('tls');
  t.is(ladder.back(), undefined);
});

test('the ladder: pauses that grow between rounds in vain', (t) => {
  const ladder = new Ladder(['udp', 'tcp'], () => 1);
  const pauses: number[] = [];
  for (let round = 0; round < 20; round++) {
    ladder.failed(ladder.next() ?? failed());
    const after = ladder.failed(ladder.next() ?? failed());
    pauses.push(after.type === 'pause' ? after.ms : failed());
  }
  t.deepEqual(pauses.slice(0, 4), [1_000, 2_000, 4_000, 8_000]);
  t.is(pauses.at(-1), 1_800_000);
});

function failed(): never {
  throw new Error('no message');
}
