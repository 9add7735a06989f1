/** What a proxy decides without keeping anything: checks, answers, branches, loops, routes. */
import test from 'ava';
import { isLoop, randomBranch, statelessBranch } from '../../sip/branch.ts';
import { checkRequest, checkResponse, refusal } from '../../sip/check.ts';
import { Edit } from '../../sip/edit.ts';
import { lowerMaxForwards, noteSource, popVia, pushVia, type SentBy } from '../../sip/hop.ts';
import { cseqOf, tagOf } from '../../sip/identity.ts';
import { respond } from '../../sip/respond.ts';
import { applyRouting, pushRecordRoute, responseTarget, routeRequest } from '../../sip/routing.ts';
import type { Uri } from '../../sip/uri.ts';
import { branchOf, topVia, vias } from '../../sip/via.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { names, request, response, sip, textOf, vector } from './vectors.ts';

const KEY = Buffer.from('0123456789abcdef');
const US: SentBy = { transport: 'TLS', host: '192.0.2.5', port: 443 };
const NONE: ReadonlySet<string> = new Set();

function message(method: string, changes: Readonly<Record<string, string>> = {}): string {
  const fields: Record<string, string> = {
    uri: 'sip:bob@example.net',
    Via: 'SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKabc',
    From: '<sip:alice@example.org>;tag=a',
    To: '<sip:bob@example.net>',
    'Call-ID': 'one@example.org',
    CSeq: `7 ${method}`,
    'Max-Forwards': '70',
    ...changes,
  };
  const { uri, ...rest } = fields;
  const lines = Object.entries(rest).filter(([, value]) => value !== '-');
  return sip([`${method} ${uri} SIP/2.0`, ...lines.map(([name, value]) => `${name}: ${value}`)]);
}

test('[RFC3261] every recorded message passes the checks', (t) => {
  for (const name of names('recorded')) {
    const octets = vector('recorded', name);
    if (octets.toString('latin1', 0, 7) === 'SIP/2.0')
      t.true(checkResponse(response(octets)), name);
    else t.is(checkRequest(request(octets), NONE), undefined, name);
  }
});

test('[RFC3261] what a proxy needs must be there, once, and readable', (t) => {
  const status = (changes: Readonly<Record<string, string>>) =>
    checkRequest(request(message('INVITE', changes)), NONE)?.status;
  t.is(status({}), undefined);
  t.is(status({ 'Max-Forwards': '-' }), undefined);
  for (const key of ['Via', 'From', 'To', 'Call-ID', 'CSeq'])
    t.is(status({ [key]: '-' }), 400, key);
  t.is(status({ f: '<sip:x@y>;tag=z' }), 400);
  t.is(status({ 'Max-Forwards': '1\r\nMax-Forwards: 2' }), 400);
  t.is(status({ 'Max-Forwards': '256' }), 400);
  t.is(status({ 'Max-Forwards': 'x' }), 400);
  t.is(status({ 'Max-Forwards': '0' }), 483);
  t.is(status({ CSeq: '2147483648 INVITE' }), 400);
  t.is(status({ CSeq: '2147483647 INVITE' }), undefined);
  t.is(status({ CSeq: '1 BYE' }), 400);
  t.is(status({ CSeq: 'INVITE' }), 400);
});

test('[RFC3261] Proxy-Require: refused with the tags that are not understood', (t) => {
  const check = (understood: readonly string[]) =>
    checkRequest(
      request(message('INVITE', { 'Proxy-Require': 'sec-agree, Foo', 'proxy-require': 'bar' })),
      new Set(understood),
    );
  t.deepEqual(check(['sec-agree'])?.fields, ['Unsupported: foo, bar']);
  t.is(check(['sec-agree', 'foo', 'bar']), undefined);
});

test('[RFC3261] a response of our own: the octets of the request, To with a tag', (t) => {
  const asked = request(message('INVITE', { v: 'SIP/2.0/TCP b,\r\n SIP/2.0/UDP c' }));
  const text = textOf(
    respond(asked, refusal(483, 'Too Many Hops', ['X: y']), 'mine') ?? new Uint8Array(),
  );
  t.is(
    text,
    [
      'SIP/2.0 483 Too Many Hops',
      'Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKabc',
      'From: <sip:alice@example.org>;tag=a',
      'To: <sip:bob@example.net>;tag=mine',
      'Call-ID: one@example.org',
      'CSeq: 7 INVITE',
      'v: SIP/2.0/TCP b,\r\n SIP/2.0/UDP c',
      'X: y',
      'Content-Length: 0\r\n\r\n',
    ].join('\r\n'),
  );
  const inside = request(message('BYE', { To: '<sip:b@c>;tag=theirs' }));
  const answer = respond(inside, refusal(400, 'Bad\r\nX: injected'), 'mine');
  t.is(tagOf(response(answer ?? ''), 'to'), 'theirs');
  t.false(textOf(answer ?? new Uint8Array()).includes('mine'));
  t.true(textOf(answer ?? new Uint8Array()).startsWith('SIP/2.0 400 Bad  X: injected\r\nVia'));
  t.is(respond(request(message('ACK')), refusal(400, 'x'), 'mine'), undefined);
});

test('[RFC3261] 16.11: a branch is the same for retransmission, CANCEL and ACK, else another', (t) => {
  const branch = (text: string) => statelessBranch(request(text), KEY);
  const first = branch(message('INVITE'));
  t.regex(first, /^z9hG4bK[0-9a-f]{20}\.[0-9a-f]{20}$/);
  t.is(branch(message('INVITE')), first);
  t.is(branch(message('CANCEL')), first);
  t.is(branch(message('ACK', { To: '<sip:bob@example.net>;tag=b' })), first);
  const other = [
    message('INVITE', { Via: 'SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKabd' }),
    message('INVITE', { Via: 'SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bKabc' }),
  ].map(branch);
  t.is(new Set([first, ...other]).size, 3);
  t.not(statelessBranch(request(message('INVITE')), Buffer.from('other key')), first);
});

test('[RFC3261] 16.11: without the magic cookie all that varies between transactions counts', (t) => {
  const old = { Via: 'SIP/2.0/UDP 10.0.0.2;branch=1' };
  const branch = (changes: Readonly<Record<string, string>>) =>
    statelessBranch(request(message('INVITE', { ...old, ...changes })), KEY);
  const all = [
    {},
    { Via: 'SIP/2.0/UDP 10.0.0.2;branch=2' },
    { From: '<sip:alice@example.org>;tag=b' },
    { 'Call-ID': 'two' },
    { CSeq: '8 INVITE' },
    { uri: 'sip:carol@example.net' },
  ].map(branch);
  t.is(new Set(all).size, all.length);
  t.is(branch({ To: '<sip:bob@example.net>;tag=b' }), branch({}));
});

test('[RFC4475] badbranch: the magic cookie alone makes no two requests one', (t) => {
  const text = vector('torture', 'badbranch').toString('latin1');
  const other = text.replace('Call-ID: ', 'Call-ID: x');
  t.not(statelessBranch(request(text), KEY), statelessBranch(request(other), KEY));
});

test('[RFC5393] a loop is seen, a spiral is none', (t) => {
  const asked = message('INVITE');
  const edit = new Edit(request(asked));
  pushVia(edit, US, { branch: statelessBranch(request(asked), KEY), keep: false });
  const forwarded = textOf(edit.octets());
  const loop = (text: string) => isLoop(request(text), [US], KEY);
  t.false(loop(asked));
  t.true(loop(forwarded));
  const spiral = forwarded.replace('sip:bob@example.net SIP', 'sip:bob@192.0.2.77 SIP');
  t.false(loop(spiral));
  t.false(loop(forwarded.replace('Max-Forwards', 'Route: <sip:x;lr>\r\nMax-Forwards')));
  t.false(isLoop(request(forwarded), [{ ...US, port: 444 }], KEY));
});

test('[RFC3261] 16.11: words of a call that run into each other make other branches', (t) => {
  const route = (callId: string, tag: string) => {
    const changes = { 'Call-ID': callId, From: `<sip:alice@example.org>;tag=${tag}` };
    return statelessBranch(request(message('INVITE', changes)), KEY);
  };
  t.not(route('ab', 'c'), route('a', 'bc'));
});

test('a branch of given random octets', (t) => {
  t.is(randomBranch(Uint8Array.of(0, 255, 16)), 'z9hG4bK00ff10');
});

const isOwn = (uri: Uri) => uri.host === 'us.example';

function route(text: string) {
  const asked = request(text);
  const routing = routeRequest(asked, isOwn);
  if (routing.type === 'refusal') return routing.status;
  const edit = new Edit(asked);
  applyRouting(edit, asked, routing);
  const after = request(edit.octets());
  const routes = after.fields.filter((field) => field.key === 'route');
  return [
    routing.next.text,
    after.uri,
    ...routes.map((f) => after.text.slice(f.valueStart, f.valueEnd)),
  ];
}

test('[RFC3261] 16.4: own routes come off the top, the next decides, else the Request-URI', (t) => {
  const asked = (...routes: readonly string[]) =>
    message('BYE', routes.length === 0 ? {} : { Route: routes.join('\r\nRoute: ') });
  const uri = 'sip:bob@example.net';
  t.deepEqual(route(asked()), [uri, uri]);
  t.deepEqual(route(asked('<sip:us.example;lr>')), [uri, uri]);
  t.deepEqual(route(asked('<sip:us.example;lr>, <sip:p;lr>')), ['sip:p;lr', uri, '<sip:p;lr>']);
  t.deepEqual(route(asked('<sip:us.example;lr>', '<sip:us.example;lr>,<sip:p;lr>')), [
    'sip:p;lr',
    uri,
    '<sip:p;lr>',
  ]);
  t.deepEqual(route(asked('<sip:p;lr>', '<sip:us.example;lr>')), [
    'sip:p;lr',
    uri,
    '<sip:p;lr>',
    '<sip:us.example;lr>',
  ]);
  t.is(route(asked('<sip:p')), 400);
});

test('[RFC3261] 16.4: a strict router put our URI in front and the real one last', (t) => {
  const asked = (routes: string) => message('BYE', { uri: 'sip:us.example;lr', Route: routes });
  t.deepEqual(route(asked('<sip:p;lr>, <sip:bob@10.1.1.1>')), [
    'sip:p;lr',
    'sip:bob@10.1.1.1',
    '<sip:p;lr>',
  ]);
  const bob = 'sip:bob@10.1.1.1';
  t.deepEqual(route(asked(`<${bob}>`)), [bob, bob]);
  t.deepEqual(route(asked(`<sip:us.example;lr>, <${bob}>`)), [bob, bob]);
  const register = message('REGISTER', { uri: 'sip:us.example', Route: '<sip:p;lr>' });
  t.deepEqual(
    route(register),
    ['sip:p;lr', 'sip:us.example', '<sip:p;lr>'],
    'a registrar is no route',
  );
  const between = asked(`<sip:us.example;lr>, <sip:p;lr>, <${bob}>`);
  t.deepEqual(route(between), ['sip:p;lr', bob, '<sip:p;lr>']);
});

test('[RFC3261] 18.2.2: where a response goes', (t) => {
  const to = (via: string) => {
    const top = topVia(request(message('INVITE', { Via: via })));
    const target = top === undefined ? undefined : responseTarget(top);
    return target === undefined ? '' : `${target.onConnection} ${target.host} ${target.port}`;
  };
  t.is(to('SIP/2.0/UDP a.example'), 'false a.example 5060');
  t.is(to('SIP/2.0/UDP 10.0.0.2:7'), 'false 10.0.0.2 7');
  t.is(to('SIP/2.0/UDP 10.0.0.2:7;received=192.0.2.1'), 'false 192.0.2.1 7');
  t.is(to('SIP/2.0/UDP 10.0.0.2:7;received=192.0.2.1;rport=9'), 'false 192.0.2.1 9');
  t.is(to('SIP/2.0/UDP 10.0.0.2:7;rport=9'), 'false 10.0.0.2 7');
  t.is(to('SIP/2.0/UDP 10.0.0.2:7;received=192.0.2.1;rport'), 'false 192.0.2.1 7');
  t.is(to('SIP/2.0/UDP 10.0.0.2:7;maddr=224.0.1.75;received=192.0.2.1'), 'false 224.0.1.75 7');
  t.is(to('SIP/2.0/TLS 10.0.0.2;received=192.0.2.1'), 'true 192.0.2.1 5061');
  t.is(to('SIP/2.0/TCP 10.0.0.2:7;received=[2001:db8::1];rport=9'), 'true 2001:db8::1 7');
});

test('a request through the proxy and its response back: only what must has changed', (t) => {
  const asked = message('INVITE', { Via: 'SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKabc' });
  const edit = new Edit(request(asked));
  const from = parseEndpoint('127.0.0.1:40000');
  if (from === undefined) return t.fail();
  noteSource(edit, from);
  pushVia(edit, US, {
    branch: statelessBranch(edit.message as ReturnType<typeof request>, KEY),
    keep: false,
  });
  pushRecordRoute(edit, 'sip:192.0.2.5:443;transport=tls;lr');
  lowerMaxForwards(edit);
  const forwarded = request(edit.octets());
  t.deepEqual(
    vias(forwarded)?.map((via) => via.transport),
    ['TLS', 'UDP'],
  );
  t.is(cseqOf(forwarded)?.number, 7);
  const vialines = forwarded.fields.filter((field) => field.key === 'via');
  const lines = vialines.map((field) => forwarded.text.slice(field.start, field.end)).join('');
  const back = new Edit(response(`SIP/2.0 200 OK\r\n${lines}CSeq: 7 INVITE\r\n\r\n`));
  t.true(popVia(back));
  const top = topVia(response(back.octets()));
  t.is(top === undefined ? '' : branchOf(top), 'z9hG4bKabc');
  t.deepEqual(top === undefined ? undefined : responseTarget(top), {
    transport: 'UDP',
    onConnection: false,
    host: '127.0.0.1',
    port: 40_000,
  });
  return t.pass();
});
