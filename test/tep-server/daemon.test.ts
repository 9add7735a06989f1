import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { ClientTls } from '../../io/dial/client-tls.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { SILENT } from '../../ops/log.ts';
import { startServer } from '../../tep-server/daemon.ts';
import { formatEndpoint } from '../../wire/address.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { timeLimitedPassword } from '../../wire/stun/keys.ts';
import { find } from '../../wire/stun/message.ts';
import { TestAuthority } from '../certificates.ts';
import { scratch } from '../config/scratch.ts';
import { openCall, openClient } from '../daemon/pair.ts';
import { peerTest } from '../peers.ts';
import { codeOf, OPEN, Raw } from './raw.ts';
import { type Service, settingsOf, startService, until } from './service.ts';

function clientOf({ at }: Service, user = 'alice', password = 'a password for tests only') {
  return openClient({ host: '127.0.0.1', port: at.port }, { user, password });
}

test('[M-11] [M-13] a call through TEP-S as its settings make it, and what its status says', async (t) => {
  const service = await startService(t, settingsOf(t));
  const tep = clientOf(service);
  const { phone, gateway, standIn, address, close } = await openCall(tep);
  phone.say('up', standIn);
  await gateway.hear('up');
  gateway.say('down', address);
  await phone.hear('down');
  const status = service.status();
  t.like(status, {
    agent: 'server',
    workers: 1,
    draining: false,
    tunnelCount: 1,
    bindingCount: 1,
    connections: { all: 1, unauthenticated: 0 },
    port: { kind: 'sockets', received: 1, sent: 1, drops: {} },
    sent: { packets: 1 },
    received: { packets: 1 },
    drops: {},
  });
  const [tunnel] = status.tunnels;
  t.like(tunnel, { user: 'alice', dropped: 0, sent: { packets: 1 }, received: { packets: 1 } });
  t.deepEqual(
    tunnel?.bindings.map(({ sending, ...binding }) => binding),
    [{ public: formatEndpoint(address), protocol: 'udp' }],
  );
  t.deepEqual(tunnel?.waiting, { packets: 0, octets: 0 });
  t.is(tunnel?.connections[0]?.state, 'up');
  t.true((tunnel?.sinceMs ?? 0) >= status.startedMs);
  await close();
  await tep.client.stop();
  await until(() => service.status().tunnelCount === 0);
  t.true(service.lines.some((line) => line.startsWith('tunnel closed')));
});

test('[G-22] a phone cannot reach the listener of TEP-S, nor the port of another call', async (t) => {
  const service = await startService(t, settingsOf(t));
  const eve = clientOf(service, 'bob', 'another one');
  const alice = clientOf(service);
  const hers = await openCall(alice);
  const its = await openCall(eve);
  for (const [id, target] of [
    [7, service.at],
    [8, hers.address],
  ] as const) {
    const at = await eve.packets.listen(id, { ...target, port: 0 }, target);
    if (isIoFault(at)) throw new Error(at.text);
    its.phone.say('knock', at);
  }
  await until(() => service.status().drops['destination-own'] === 2);
  t.deepEqual(hers.phone.heard.events, []);
  await hers.close();
  await its.close();
  await eve.client.stop();
  await alice.client.stop();
});

peerTest('openssl', 'the status tells round trips, in plain and in TLS', async (t) => {
  const authority = await TestAuthority.make();
  t.teardown(() => authority.remove());
  const { certificateFile, keyFile } = await authority.issue();
  const files = ['--tls-certificate', certificateFile, '--tls-key', keyFile];
  const service = await startService(t, settingsOf(t, ...files));
  const tls = new ClientTls({ ca: authority.certificate }, { verify: true });
  const target = { host: '127.0.0.1', port: service.at.port };
  for (const wishes of [{}, { tls }]) {
    const { client } = openClient(target, wishes);
    t.is((await client.open()).type, 'opened');
    const rttMs = service.status().tunnels[0]?.connections[0]?.rttMs ?? 0;
    t.true(rttMs > 0 && rttMs < 10_000, `${rttMs} ms`);
    await client.stop();
    await until(() => service.status().tunnelCount === 0);
  }
});

test('[M-08] users of the file with any kind of key, and time-limited ones beside them', async (t) => {
  const service = await startService(
    t,
    settingsOf(t, '--realm', 'tep', '--shared-secret-file', secretFile(t)),
  );
  const name = `${Math.floor(Date.now() / 1000) + 600}:carol`;
  const carol = clientOf(service, name, timeLimitedPassword('new secret', name));
  t.is((await carol.client.open()).type, 'opened');
  t.is(service.status().tunnels[0]?.user, 'carol');
  const old = clientOf(service, name, timeLimitedPassword('old secret', name));
  t.is((await old.client.open()).type, 'opened');
  const wrong = clientOf(service, name, timeLimitedPassword('other', name));
  t.like(await wrong.client.open(), { type: 'closed', code: 401 });
  const alice = clientOf(service);
  t.is((await alice.client.open()).type, 'opened');
  for (const { client } of [carol, old, wrong, alice]) await client.stop();
});

test('[M-08] a file with MD5 keys only: clients that know SHA-256 get in', async (t) => {
  const users = '# H(A1) of alice:tep:secret\nalice:{md5}';
  const key = createHash('md5').update('alice:tep:secret').digest('hex');
  const service = await startService(t, settingsOf(t, '--users', usersFile(t, `${users}${key}\n`)));
  const alice = clientOf(service, 'alice', 'secret');
  t.is((await alice.client.open()).type, 'opened');
  await alice.client.stop();
});

test('[W-5] a reload changes users, limits and policy; a running call goes on', async (t) => {
  const service = await startService(t, settingsOf(t));
  const tep = clientOf(service);
  const call = await openCall(tep);
  const md5 = 'dave:{md5}0123456789abcdef0123456789abcdef';
  const next = settingsOf(
    t,
    ...['--users', usersFile(t, `alice:a password for tests only\n${md5}`)],
    ...['--limits-tunnels-per-user', '1', '--media-allow', '127.0.0.1:1-65535/udp'],
  );
  t.is(await service.server.reload(next), undefined);
  call.phone.say('still here', call.standIn);
  await call.gateway.hear('still here');
  // The offer of hashes is another one now: the client is challenged again, and gets its port.
  const more = await openCall(tep, 1);
  more.phone.say('more', more.standIn);
  await more.gateway.hear('more');
  const second = clientOf(service);
  t.like(await second.client.open(), { type: 'closed', code: 486 });
  const bob = clientOf(service, 'bob', 'another one');
  t.like(await bob.client.open(), { type: 'closed', code: 401 });
  const none = settingsOf(
    t,
    ...['--users', usersFile(t, 'alice:a password for tests only')],
    ...['--media-allow', '192.0.2.0/24'],
  );
  t.is(await service.server.reload(none), undefined);
  call.phone.say('to nowhere', call.standIn);
  await until(() => service.status().drops['destination-forbidden'] === 1);
  for (const each of [call, more]) await each.close();
  for (const { client } of [tep, second, bob]) await client.stop();
});

test('[W-5] a reload with bad users or a bad certificate is refused and changes nothing', async (t) => {
  const service = await startService(t, settingsOf(t));
  const bad = settingsOf(t, '--users', usersFile(t, 'no colon'), '--limits-connections', '1');
  const fault = await service.server.reload(bad);
  t.regex(fault?.text ?? '', /users, line 1: not name:password$/);
  const two = `a:{md5}${'0'.repeat(32)}\nb:{sha256}${'0'.repeat(64)}\n`;
  const differ = await service.server.reload(settingsOf(t, '--users', usersFile(t, two)));
  t.regex(differ?.text ?? '', /a has an md5 key only and b a sha256 key only/);
  const pem = usersFile(t, 'no certificate');
  const tls = settingsOf(t, '--tls-certificate', pem, '--tls-key', pem);
  t.truthy(await service.server.reload(tls));
  const clients = [clientOf(service), clientOf(service)];
  for (const { client } of clients) t.is((await client.open()).type, 'opened');
  for (const { client } of clients) await client.stop();
});

peerTest('openssl', '[M-09] a certificate comes, and goes again, by reload', async (t) => {
  const authority = await TestAuthority.make();
  t.teardown(() => authority.remove());
  const { certificateFile, keyFile } = await authority.issue();
  const service = await startService(t, settingsOf(t));
  const tls = ['--tls-certificate', certificateFile, '--tls-key', keyFile];
  t.is(await service.server.reload(settingsOf(t, ...tls)), undefined);
  const tep = openClient(
    { host: '127.0.0.1', port: service.at.port },
    { tls: new ClientTls({ ca: authority.certificate }, { verify: true }) },
  );
  const call = await openCall(tep);
  t.is(await service.server.reload(settingsOf(t)), undefined);
  call.phone.say('inside TLS', call.standIn);
  await call.gateway.hear('inside TLS');
  await call.close();
  await tep.client.stop();
});

test('[W-7] drain: nobody new, the call goes on, and its end is the end', async (t) => {
  const service = await startService(t, settingsOf(t, '--drain', '1h'));
  const tep = clientOf(service);
  const call = await openCall(tep);
  let isOver = false;
  const drained = service.server.drain().then(() => {
    isOver = true;
  });
  await until(() => service.status().draining);
  const late = connect(service.at.port, '127.0.0.1');
  t.like((await once(late, 'error'))[0], { code: 'ECONNREFUSED' });
  call.phone.say('last words', call.standIn);
  await call.gateway.hear('last words');
  t.false(isOver);
  await call.close();
  await tep.client.stop();
  await drained;
  t.is(service.status().tunnelCount, 0);
});

test('[W-7] drain: who is still in the greeting opens nothing, but may join what there is', async (t) => {
  const service = await startService(t, settingsOf(t, '--drain', '1h'));
  const first = await Raw.open(t, service);
  const early = await Raw.open(t, service);
  const joining = await Raw.open(t, service);
  const token = find(await first.ask(OPEN), 'TEP-TUNNEL') ?? new Uint8Array(0);
  await until(() => service.status().connections.all === 3);
  void service.server.drain();
  t.is(codeOf(await early.ask(OPEN)), 500);
  const stripe: Attribute = { type: 'TEP-STRIPE', value: 1 };
  t.is(codeOf(await joining.ask({ type: 'TEP-TUNNEL', value: token }, stripe)), 0);
  t.like(service.status(), { draining: true, tunnelCount: 1 });
  t.is(service.status().tunnels[0]?.connections.length, 2);
});

test('[W-7] drain ends when its time is over, at once without calls, and when it is asked again', async (t) => {
  const idle = await startService(t, settingsOf(t, '--drain', '1h'));
  await idle.server.drain();
  const short = await startService(t, settingsOf(t, '--drain', '10ms'));
  const tep = clientOf(short);
  t.is((await tep.client.open()).type, 'opened');
  await short.server.drain();
  t.is(short.status().tunnelCount, 1);
  const long = await startService(t, settingsOf(t, '--drain', '1h'));
  const other = clientOf(long);
  t.is((await other.client.open()).type, 'opened');
  const first = long.server.drain();
  await long.server.drain();
  await first;
  await long.server.stop();
  await tep.client.stop();
  await other.client.stop();
});

test('what cannot be started is a fault with a text, and leaves nothing open', async (t) => {
  const service = await startService(t, settingsOf(t));
  const deps = { log: SILENT, failed: () => {} };
  const taken = settingsOf(t, '--listen', formatEndpoint(service.at));
  const second = await startServer(taken, deps);
  t.true(isIoFault(second) && second.code === 'EADDRINUSE');
  const passed = await startServer(settingsOf(t, '--listen', 'systemd'), deps);
  t.true(isIoFault(passed) && /tep-server\.socket/.test(passed.text));
});

function usersFile(t: Parameters<typeof settingsOf>[0], text: string): string {
  return scratch(t).file('users', text);
}

function secretFile(t: Parameters<typeof settingsOf>[0]): string {
  return scratch(t).file('secret', 'new secret\nold secret\n');
}
