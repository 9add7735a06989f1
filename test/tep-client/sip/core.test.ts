/** The sidecar's way to the core: which one, what happens when it breaks, and what nobody may do to it. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test from 'ava';
import { header, type Request } from '../../../sip/message.ts';
import { MAX_HELD } from '../../../tep-client/sip/core-side.ts';
import { MAX_CONNECTIONS } from '../../../tep-client/sip/phone-side.ts';
import { formatEndpoint } from '../../../wire/address.ts';
import { openTalker } from '../../daemon/pair.ts';
import { closedPort } from '../../io/dial/listening.ts';
import { until } from '../../net/until.ts';
import { names, sip, vector } from '../../sip/vectors.ts';
import { AOR, openScene } from './scene.ts';
import { SimCore } from './simulated.ts';

test('a way that is silent is left: the same request is asked by the next one', async (t) => {
  const silent = await openTalker('127.0.0.1');
  const core = await SimCore.open();
  t.teardown(() => Promise.all([silent.socket.close(), core.close()]));
  const { phone, status } = await openScene(
    t,
    `--sip-core=udp://${formatEndpoint(silent.socket.local)}`,
    `--sip-core=${core.url}`,
  );
  phone.ask('REGISTER', 'reg', { to: AOR });
  const { text } = await silent.heard.first('heard');
  t.regex(text, /^REGISTER [\s\S]*\r\nVia: SIP\/2\.0\/UDP tep-/);
  const seen = await core.request('REGISTER');
  t.regex(header(seen, 'via') ?? '', /^SIP\/2\.0\/TCP tep-/);
  core.answer(seen, 200, { more: [`Contact: ${phone.contact};expires=60`] });
  await phone.response(200, 'REGISTER');
  t.like(status().sip?.core, { by: core.url, state: 'proven' });
});

function branchOf(request: Request): string | undefined {
  return /;branch=[^;\r]*/.exec(header(request, 'via') ?? '')?.[0];
}

test('what is too long for a datagram goes by TCP to the same hop, its CANCEL too; by UDP where TCP is refused', async (t) => {
  const udp = await openTalker('127.0.0.1');
  const { local } = udp.socket;
  const core = await SimCore.open(local.port);
  t.teardown(() => Promise.all([udp.socket.close(), core.close()]));
  const { phone } = await openScene(t, `--sip-core=udp://${formatEndpoint(local)}`);
  const long = { more: [`X-Long: ${'x'.repeat(1_300)}`] };
  phone.ask('INVITE', 'early', long);
  const heardBy = (what: string) => udp.heard.first('heard', ({ text }) => text.includes(what));
  t.regex((await heardBy('early')).text, /\r\nVia: SIP\/2\.0\/UDP tep-/, 'UDP may not pass');
  phone.ask('OPTIONS', 'first');
  const { text, from } = await heardBy('first');
  const said = text.split('\r\n').filter((line) => /^(?:Via|From|To|Call-ID|CSeq):/.test(line));
  udp.say(sip(['SIP/2.0 200 OK', ...said]), from);
  await phone.response(200, 'OPTIONS');
  const asked = phone.ask('INVITE', 'call', long);
  const invite = await core.request('INVITE');
  t.regex(header(invite, 'via') ?? '', /^SIP\/2\.0\/TCP tep-/);
  core.answer(invite, 180);
  await phone.response(180, 'INVITE');
  const cancel = asked.replace(/X-Long.*\r\n/, '').replaceAll('INVITE', 'CANCEL');
  phone.send(cancel);
  t.is(branchOf(await core.request('CANCEL')), branchOf(invite));
  // What the core asks by the connection is answered by it.
  core.ask('OPTIONS', 'asked', phone.contact.slice(1, -1));
  phone.answer(await phone.request('OPTIONS'), 200);
  await core.response(200, 'OPTIONS');
  await core.close();
  phone.ask('INVITE', 'later', long);
  t.regex((await heardBy('later')).text, /\r\nVia: SIP\/2\.0\/UDP tep-/);
});

test('no way at all: a request is answered with 503, and its ACK goes nowhere', async (t) => {
  const port = await closedPort();
  const { phone, status } = await openScene(t, `--sip-core=tcp://127.0.0.1:${port}`);
  const text = phone.ask('INVITE', 'call');
  const answer = await phone.response(503, 'INVITE');
  t.regex(header(answer, 'to') ?? '', /;tag=/);
  phone.send(text.replace(/^INVITE/, 'ACK').replace('1 INVITE', '1 ACK'));
  t.is(status().sip?.core.state === 'proven', false);
});

test('more requests than may wait for a way are answered with 503 at once', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {}));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const { phone, status } = await openScene(t, `--sip-core=tls://127.0.0.1:${port}`);
  for (let i = 0; i <= MAX_HELD; i++) phone.ask('MESSAGE', `call${i}`);
  const answer = await phone.response(503, 'MESSAGE');
  t.is(header(answer, 'call-id'), `call${MAX_HELD}`);
  t.is(status().sip?.core.state, 'connecting');
  silent.close();
});

test('[R-01] a connection that breaks is opened again, and a phone on TCP is made to register again', async (t) => {
  const { proxy, phone, core, log, status } = await openScene(t);
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  socket.write(register('tcp', '127.0.0.1:5099'));
  core.answer(await core.request('REGISTER'), 200, {
    more: ['Contact: <sip:alice@127.0.0.1:5099>;expires=600'],
  });
  await once(socket, 'data');
  core.cut();
  await closed;
  t.is(log.said('phones must register again before calls reach them').length, 1);
  const before = core.count;
  phone.ask('REGISTER', 'again', { to: AOR });
  await core.request('REGISTER', before);
  t.is(core.connections.length, 2);
  t.is(status().sip?.registrations.length, 1);
});

test('a core that is started again is found by the way that worked, while another keeps silent', async (t) => {
  const silent = await openTalker('127.0.0.1');
  const core = await SimCore.open();
  t.teardown(() => silent.socket.close());
  const { phone, log, status } = await openScene(
    t,
    `--sip-core=udp://${formatEndpoint(silent.socket.local)}`,
    `--sip-core=${core.url}`,
  );
  phone.ask('REGISTER', 'reg', { to: AOR });
  core.answer(await core.request('REGISTER'), 200, {
    more: [`Contact: ${phone.contact};expires=60`],
  });
  await phone.response(200, 'REGISTER');
  await core.close();
  // Broken, and refused when it was tried again: only the silent one is left.
  await until(() => log.said('no way to the core').length === 2);
  phone.ask('OPTIONS', 'asked-meanwhile');
  const again = await SimCore.open(core.port);
  t.teardown(() => again.close());
  again.answer(await again.request('OPTIONS'), 200);
  const answer = await phone.response(200, 'OPTIONS');
  t.is(header(answer, 'call-id'), 'asked-meanwhile');
  t.like(status().sip?.core, { by: again.url, state: 'proven' });
});

test('[R-04] pings of a phone are answered; several messages in a segment and one over many are cut', async (t) => {
  const { proxy, core } = await openScene(t);
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  await once(socket, 'connect');
  socket.write('\r\n\r\n');
  const [pong] = await once(socket, 'data');
  t.is(String(pong), '\r\n');
  const text = `${register('one', '127.0.0.1:5099')}${register('two', '127.0.0.1:5099')}`;
  for (let at = 0; at < text.length; at += 100) socket.write(text.slice(at, at + 100));
  await core.diary.first('request', (one) => header(one, 'call-id') === 'one');
  await core.diary.first('request', (one) => header(one, 'call-id') === 'two');
  socket.destroy();
});

test('torture messages from both sides, and octets that are none: the next call is served', async (t) => {
  const { phone, core, status, proxy } = await openScene(t);
  phone.ask('OPTIONS', 'first');
  core.answer(await core.request('OPTIONS'), 200);
  const before = core.count;
  for (const folder of ['torture', 'torture-ipv6']) {
    for (const name of names(folder)) {
      const octets = vector(folder, name);
      phone.send(octets);
      const socket = connect({ host: '127.0.0.1', port: proxy.port });
      socket.on('error', () => {});
      socket.end(octets);
      core.send(octets.toString('latin1'));
    }
  }
  for (let i = 0; i < 2_000; i++) phone.send(Buffer.from([i & 0xff, 0, 0xff, 0x0d, i >> 8]));
  // The core has broken its stream by then: it is another one.
  const again = setInterval(() => phone.ask('REGISTER', 'last', { to: AOR }), 200);
  const seen = await core.diary.first(
    'request',
    (one) => header(one, 'call-id') === 'last',
    before,
  );
  clearInterval(again);
  core.answer(seen, 200, { more: [`Contact: ${phone.contact};expires=60`] });
  await phone.response(200, 'REGISTER');
  t.true((status().sip?.drops['bad-octets'] ?? 0) > 0);
});

test('of more connections of phones than there may be, those that were silent longest make room', async (t) => {
  const { proxy, status } = await openScene(t);
  const first = await connections(proxy.port, MAX_CONNECTIONS);
  const closed = first.slice(0, 2).map((socket) => once(socket, 'close'));
  const [last] = await connections(proxy.port, 2);
  await Promise.all(closed);
  last?.write('\r\n\r\n');
  if (last !== undefined) await once(last, 'data');
  t.is(first.filter(({ closed }) => closed).length, 2);
  t.deepEqual(status().sip?.drops, { 'idle-connection': 2 });
  for (const socket of first) socket.destroy();
});

test('a connection more is refused while all others have something under way', async (t) => {
  const { proxy, core, status } = await openScene(t);
  const busy = await connections(proxy.port, MAX_CONNECTIONS);
  for (const [i, socket] of busy.entries()) socket.write(register(`busy${i}`, '127.0.0.1:5099'));
  await until(() => core.count === MAX_CONNECTIONS);
  const [refused] = await connections(proxy.port, 1);
  if (refused !== undefined) await once(refused, 'close');
  t.is(busy.filter(({ closed }) => closed).length, 0);
  t.deepEqual(status().sip?.drops, { 'too-many-connections': 1 });
  for (const socket of busy) socket.destroy();
});

/** One after the other, so that it is known who came first. */
async function connections(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
  }
  return sockets;
}

function register(callId: string, contact: string): string {
  return sip([
    'REGISTER sip:example.org SIP/2.0',
    `Via: SIP/2.0/TCP ${contact};rport;branch=z9hG4bK${callId}`,
    'From: <sip:alice@example.org>;tag=a',
    'To: <sip:alice@example.org>',
    `Call-ID: ${callId}`,
    'CSeq: 1 REGISTER',
    `Contact: <sip:alice@${contact}>`,
    'Max-Forwards: 70',
  ]);
}
