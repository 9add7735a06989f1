/** Messages through a proxy between a phone on UDP and a flow on TLS: all changes, and no other. */
import test from 'ava';
import { type Element, forwardRequest, type Passage, returnResponse } from '../../sip/forward.ts';
import type { SentBy } from '../../sip/hop.ts';
import { branchOf, topVia } from '../../sip/via.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { datagram, names, request, response, sip, textOf, vector } from './vectors.ts';

const INSIDE: SentBy = { transport: 'UDP', host: '127.0.0.1', port: 5070 };
const OUTSIDE: SentBy = { transport: 'TLS', host: '198.51.100.7', port: 40_000 };
const ELEMENT: Element = {
  sentBy: [INSIDE, OUTSIDE],
  key: Buffer.from('key'),
  understood: new Set(['sec-agree']),
  isOwn: (uri) => uri.host === '127.0.0.1' && uri.port === 5070,
};
const UP: Passage = {
  from: parseEndpoint('127.0.0.1:5060') ?? failed(),
  out: OUTSIDE,
  keep: true,
  recordRoutes: ['sip:198.51.100.7:40000;transport=tls;lr', 'sip:127.0.0.1:5070;lr'],
  paths: ['sip:198.51.100.7:40000;transport=tls;lr'],
  route: 'sip:pcscf.example:443;transport=tls;lr',
  hidesVias: false,
};

function failed(): never {
  throw new RangeError('no endpoint');
}

function phone(method: string, ...more: readonly string[]): string {
  return sip(
    [
      `${method} sip:bob@example.net SIP/2.0`,
      'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1;rport',
      ...more,
      'From: <sip:alice@example.org>;tag=a',
      'To: <sip:bob@example.net>',
      'Call-ID: one',
      `CSeq: 7 ${method}`,
      'Max-Forwards: 70',
    ],
    'body',
  );
}

function up(text: string, passage = UP) {
  const forwarded = forwardRequest(request(text), ELEMENT, passage);
  if (forwarded.type === 'refusal') return { refused: forwarded.status, text: '', next: '' };
  return { refused: 0, text: textOf(forwarded.edit.octets()), next: forwarded.next.text };
}

function difference(before: string, after: string): string[] {
  const [a, b] = [before.split('\r\n'), after.split('\r\n')];
  const gone = a.filter((line) => !b.includes(line)).map((line) => `-${line}`);
  return [...gone, ...b.filter((line) => !a.includes(line)).map((line) => `+${line}`)];
}

test('[R-01] an INVITE from a phone whose outbound proxy we are', (t) => {
  const before = phone('INVITE', 'Route: <sip:127.0.0.1:5070;lr>');
  const { text } = up(before);
  const branch = branchOf(topVia(request(text)) ?? failed());
  t.deepEqual(difference(before, text), [
    '-Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1;rport',
    '-Route: <sip:127.0.0.1:5070;lr>',
    '-Max-Forwards: 70',
    `+Via: SIP/2.0/TLS 198.51.100.7:40000;rport;branch=${branch}`,
    '+Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1;rport=5060;received=127.0.0.1',
    '+Route: <sip:pcscf.example:443;transport=tls;lr>',
    '+Max-Forwards: 69',
    '+Record-Route: <sip:198.51.100.7:40000;transport=tls;lr>',
    '+Record-Route: <sip:127.0.0.1:5070;lr>',
  ]);
});

test('[RFC3327] Path goes into REGISTER only, Record-Route only into what opens a dialog', (t) => {
  const added = (method: string) =>
    difference(phone(method), up(phone(method)).text).filter((line) =>
      /^\+(?:Path|Record)/.test(line),
    );
  t.deepEqual(added('REGISTER'), ['+Path: <sip:198.51.100.7:40000;transport=tls;lr>']);
  t.is(added('INVITE').length, 2);
  t.deepEqual([...added('MESSAGE'), ...added('ACK'), ...added('BYE')], []);
});

test('[R-05] [RFC6223] keep is offered at registration', (t) => {
  const offers = (method: string) =>
    topVia(request(up(phone(method)).text))?.parameters.has('keep');
  t.deepEqual([offers('REGISTER'), offers('INVITE'), offers('ACK')], [true, false, false]);
  const without = up(phone('REGISTER'), { ...UP, keep: false }).text;
  t.false(topVia(request(without))?.parameters.has('keep'));
});

test('a request from the network goes to what Route or Request-URI say', (t) => {
  const down: Passage = { ...UP, out: INSIDE, keep: false, recordRoutes: [], route: undefined };
  t.is(up(phone('MESSAGE'), down).next, 'sip:bob@example.net');
  t.is(up(phone('MESSAGE', 'Route: <sip:127.0.0.1:5070;lr>, <sip:x>'), down).next, 'sip:x');
});

test('[RFC3261] refused: broken, no hops left, unknown extension, loop', (t) => {
  t.is(up(phone('INVITE').replace('From', 'Form')).refused, 400);
  t.is(up(phone('INVITE').replace('70', '0')).refused, 483);
  t.is(up(phone('INVITE', 'Proxy-Require: sec-agree, x')).refused, 420);
  t.is(up(phone('INVITE', 'Route: <sip:x')).refused, 400);
  t.is(up(phone('INVITE', 'Proxy-Require: sec-agree')).refused, 0);
  const round = up(phone('MESSAGE'), { ...UP, route: undefined }).text;
  t.is(up(round).refused, 482);
});

test('a datagram without Content-Length has one when it goes to a stream', (t) => {
  const { text } = up(phone('MESSAGE').replace('Content-Length: 4\r\n', ''));
  t.true(text.endsWith('\r\nContent-Length: 4\r\n\r\nbody'));
});

const VIA_OURS = `Via: SIP/2.0/TLS 198.51.100.7:40000;branch=z9hG4bK2;keep=25`;
const VIA_PHONE = 'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1;rport=5060;received=127.0.0.1';

function back(...vias: readonly string[]) {
  const lines = ['From: <sip:a@x>;tag=a', 'To: <sip:b@x>;tag=b', 'Call-ID: one', 'CSeq: 7 INVITE'];
  return sip(['SIP/2.0 200 OK', ...vias, ...lines], 'body');
}

test('[R-05] a response goes back to where the request came from, our Via is gone', (t) => {
  const before = back(VIA_OURS, VIA_PHONE);
  const returned = returnResponse(response(before), ELEMENT);
  t.is(textOf(returned?.edit.octets() ?? new Uint8Array()), back(VIA_PHONE));
  t.is(returned?.keep, 25);
  t.deepEqual(returned?.target, {
    transport: 'UDP',
    onConnection: false,
    host: '127.0.0.1',
    port: 5060,
  });
});

test('[RFC3261] a response is dropped when our Via is not on top, or is the only one', (t) => {
  const returned = (text: string) => returnResponse(response(text), ELEMENT);
  t.is(returned(back(VIA_PHONE, VIA_OURS)), undefined);
  t.is(returned(back(VIA_OURS)), undefined);
  t.is(returned(back(VIA_OURS.replace('40000', '40001'), VIA_PHONE)), undefined);
  t.is(returned(back(VIA_OURS, 'Via: nonsense')), undefined);
  t.is(returned(back(VIA_OURS, VIA_PHONE).replace('200', '700')), undefined);
});

test('each recorded request goes through, and what is left of it is every other octet', (t) => {
  for (const name of names('recorded')) {
    const message = datagram(vector('recorded', name));
    if (message.type !== 'request') continue;
    const { text } = up(message.text);
    const after = request(text);
    const touched = ['via', 'route', 'max-forwards', 'record-route', 'path'];
    const others = (m: typeof after) =>
      m.fields.filter((f) => !touched.includes(f.key)).map((f) => m.text.slice(f.start, f.end));
    t.deepEqual(others(after), others(message), name);
    t.is(after.text.slice(after.bodyStart), message.text.slice(message.bodyStart), name);
  }
});
