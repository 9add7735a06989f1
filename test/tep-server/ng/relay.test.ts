/** TEP-S between a SIP proxy and a media gateway, in its own process and with workers; tunnels through it. */
import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { octetsOf, stringOf } from '../../../framing/ng/message.ts';
import type { ServerStatus } from '../../../ops/status.ts';
import { placeOfUser } from '../../../session/placement.ts';
import { type Endpoint, formatAddress } from '../../../wire/address.ts';
import { scratch } from '../../config/scratch.ts';
import { openCall, openClient, type TestCall } from '../../daemon/pair.ts';
import { seededRandom } from '../../sim/random.ts';
import { type Service, settingsOf, startService, until } from '../service.ts';
import { ADVERTISE, answer, bye, offer, type Phone, sdpOf } from './descriptions.ts';
import { Gateway } from './gateway.ts';
import { command, openProxy, type SipProxy } from './proxies.ts';

const PASSWORD = 'a password for tests only';
const DIALOG = { callId: 'call', fromTag: 'a', toTag: 'b' };
const CORE: Phone = { address: '192.0.2.9', port: 6_000 };

async function scene(t: ExecutionContext, ...flags: readonly string[]) {
  const gateway = await Gateway.open(t);
  const service = await startService(
    t,
    settingsOf(
      t,
      ...['--ng-listen', 'udp://127.0.0.1:0', '--ng-advertise', ADVERTISE, ...flags],
      ...['--ng-rtpengine', `udp://127.0.0.1:${gateway.port}`],
    ),
  );
  return { gateway, service, proxy: await proxyOf(t, service) };
}

async function proxyOf(t: ExecutionContext, service: Service): Promise<SipProxy> {
  const { ng } = await service.server.status();
  const proxy = await openProxy('udp', Number(ng?.listening[0]?.split(':').at(-1)));
  t.teardown(() => proxy.close());
  return proxy;
}

test('[M-04] commands and answers of any octets pass as they are, 64 KiB too, in any order', async (t) => {
  const { gateway, service, proxy } = await scene(t);
  const random = seededRandom(3);
  const lengths = [1, 2, 100, 1_500, 65_507];
  for (const length of lengths) {
    const up = Buffer.from(random.octets(length));
    proxy.send(up);
    await until(() => gateway.heard.length > 0);
    t.true(gateway.heard.pop()?.equals(up), `${length}`);
    const down = Buffer.from(random.octets(length));
    gateway.say(down);
    t.true(Buffer.from(await proxy.next()).equals(down), `${length}`);
  }
  const reply = (cookie: string) => command(cookie, { result: 'ok', sdp: sdpOf(CORE), n: cookie });
  for (const cookie of ['1', '2', '3']) proxy.send(command(cookie, offer(DIALOG, sdpOf(CORE))));
  await until(() => gateway.heard.length === 3);
  for (const cookie of ['3', '1', '2']) gateway.say(reply(cookie));
  for (const cookie of ['3', '1', '2']) {
    t.deepEqual(Buffer.from(await proxy.next()), Buffer.from(reply(cookie)));
  }
  t.is(service.status().ng?.commands.offer, 3);
});

test('two proxies with the same cookies get their own answers, and nobody else may answer', async (t) => {
  const { gateway, service, proxy } = await scene(t);
  const other = await proxyOf(t, service);
  proxy.send(command('1', { command: 'query', 'call-id': 'one' }));
  await until(() => gateway.heard.length === 1);
  other.send(command('1', { command: 'query', 'call-id': 'two' }));
  await until(() => gateway.heard.length === 2);
  gateway.say(command('1', { result: 'ok', of: 'two' }));
  t.true(Buffer.from(await other.next()).includes('two'));
  t.is(stringOf(await proxy.ask({ command: 'ping' }), 'result'), 'pong');
  t.is(service.status().ng?.peers, 2);
});

test('[M-10] [M-15] a tunnel reaches the gateway through the pinholes of its call, and only so', async (t) => {
  const { gateway, service, proxy } = await scene(t);
  const tep = openClient({ host: '127.0.0.1', port: service.at.port }, { password: PASSWORD });
  const call = await openCall(tep);
  t.teardown(async () => {
    await call.close();
    await tep.client.stop();
  });
  call.phone.say('early', call.standIn);
  await until(() => service.status().drops['destination-forbidden'] === 1);
  const told = await establish(gateway, proxy, call);
  t.regex(told, /^a=3gpp-tep:443 TLS IN IP4 198\.51\.100\.7\r$/m);
  call.phone.say('up', call.standIn);
  await call.gateway.hear('up');
  call.gateway.say('down', call.address);
  await call.phone.hear('down');
  t.is(service.status().ng?.pinholes, 2);
  proxy.send(command('bye', bye(DIALOG)));
  await until(() => service.status().ng?.pinholes === 0);
  call.phone.say('late', call.standIn);
  await until(() => service.status().drops['destination-forbidden'] === 2);
  t.deepEqual(
    call.gateway.heard.events.map(({ text }) => text),
    ['up'],
  );
});

test('[M-08] [M-10] with auth: short-term a call lets its phone in, while it lasts', async (t) => {
  const { gateway, service, proxy } = await scene(t, '--auth', 'short-term');
  const ice = (ufrag: string, pwd: string) => [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`];
  const password = 'a+pwd+of+22+characters/';
  gateway.answers.offer = { result: 'ok', sdp: sdpOf(CORE) };
  const near = { address: '127.0.0.1', port: 9_000, more: ice('core', password) };
  gateway.answers.answer = { result: 'ok', sdp: sdpOf(near) };
  const target = { host: '127.0.0.1', port: service.at.port };
  const refused = () => service.lines.filter((line) => line.startsWith('login refused')).length;
  const phoneOf = (user: string) => {
    const wishes = { user, password, mechanism: 'short-term' } as const;
    const { client } = openClient(target, wishes);
    t.teardown(() => client.stop());
    return client;
  };
  const early = phoneOf('core:ueue').open();
  await until(() => refused() === 1);
  const phone = { address: '127.0.0.1', port: 50_000, can: true };
  await proxy.ask(offer(DIALOG, sdpOf({ ...phone, more: ice('ueue', 'x'.repeat(22)) })));
  await proxy.ask(answer(DIALOG, sdpOf(CORE)));
  t.is((await early).type, 'opened', 'it tries again until there is its call');
  proxy.send(command('bye', bye(DIALOG)));
  await until(() => service.status().ng?.calls === 0);
  const before = refused();
  void phoneOf('core:ueue').open();
  await until(() => refused() > before);
  t.is(service.status().tunnelCount, 1);
});

test('[W-5] with workers the ways are open in the one that has the tunnel', async (t) => {
  const names = ['alice', 'bob', 'carol', 'dave'];
  t.is(new Set(names.map((name) => placeOfUser(name, 2))).size, 2);
  const users = scratch(t).file('users', names.map((name) => `${name}:${PASSWORD}\n`).join(''));
  const { gateway, service, proxy } = await scene(
    t,
    // Above the ports that the system gives out: the gateway must not have one of those that are TEP-S's own.
    ...['--workers', '2', '--users', users, '--ports', '61440-63487'],
  );
  for (const user of names) {
    const wishes = { user, password: PASSWORD };
    const tep = openClient({ host: '127.0.0.1', port: service.at.port }, wishes);
    const call = await openCall(tep);
    await establish(gateway, proxy, call, user);
    // As a phone does: the first packets may come before the worker was told.
    const media = setInterval(() => call.phone.say('up', call.standIn), 20);
    await call.gateway.hear('up');
    clearInterval(media);
    await call.close();
    await tep.client.stop();
  }
  const { ng } = (await service.server.status()) as ServerStatus;
  t.is(ng?.calls, names.length);
  t.is(ng?.pinholes, 2 * names.length);
});

for (const workers of ['1', '2']) {
  test(`[G-22] a way that no media can go is refused and counted once, with workers: ${workers}`, async (t) => {
    const flags = ['--workers', workers, ...(workers === '1' ? [] : ['--ports', '63488-65535'])];
    const { gateway, service, proxy } = await scene(t, ...flags);
    gateway.answers.offer = { result: 'ok', sdp: sdpOf(CORE) };
    const ue = { address: '198.51.100.9', port: 50_000, can: true };
    const ways = async (address: string, id: string) => {
      const dialog = { ...DIALOG, callId: id };
      gateway.answers.answer = { result: 'ok', sdp: sdpOf({ address, port: 30_000 }) };
      await proxy.ask(offer(dialog, sdpOf(ue)));
      await proxy.ask(answer(dialog, sdpOf(CORE)));
    };
    const refused = async () => {
      const { ng } = (await service.server.status()) as ServerStatus;
      return ng?.faults['pinhole-refused'];
    };
    await ways('203.0.113.1', 'good');
    await ways('240.0.0.1', 'reserved');
    // Every worker has answered, and been heard, before it answers this.
    t.is(await refused(), 1);
    t.is(await refused(), 1);
    await ways('240.0.0.2', 'reserved');
    t.is(await refused(), 2, 'it is refused anew');
  });
}

test('[G-22] no packet of a tunnel reaches the control of the gateway, whatever the rules say', async (t) => {
  const { gateway, service } = await scene(t, '--media-allow', '127.0.0.1');
  const tep = openClient({ host: '127.0.0.1', port: service.at.port }, { password: PASSWORD });
  const call = await openCall(tep);
  const control: Endpoint = { ...call.gateway.socket.local, port: gateway.port };
  const at = await tep.packets.listen(7, { ...control, port: 0 }, control);
  if ('type' in at) throw new Error(at.text);
  call.phone.say('7_1 d7:command4:liste', at);
  await until(() => service.status().drops['destination-own'] === 1);
  t.deepEqual(gateway.heard, []);
  await call.close();
  await tep.client.stop();
});

test('whether the gateway answers is told in status and log', async (t) => {
  const { service } = await scene(t);
  await until(() => service.status().ng?.gatewayAnswers === true);
  t.true(service.lines.includes('the media gateway answers'));
  const silent = ['--ng-listen', 'udp://127.0.0.1:0', '--ng-rtpengine', 'udp://127.0.0.1:9'];
  const other = await startService(t, settingsOf(t, ...silent, '--ng-advertise', ADVERTISE));
  await until(() => other.status().ng?.gatewayAnswers === false);
  t.true(other.lines.includes('the media gateway does not answer'));
});

test('[W-5] a reload changes where phones are told to connect, and which offers are marked', async (t) => {
  const { gateway, service, proxy } = await scene(t);
  gateway.answers.offer = { result: 'ok', sdp: sdpOf({ ...CORE, port: 30_000 }) };
  const ask = async () => {
    const dialog = { ...DIALOG, callId: randomBytes(4).toString('hex') };
    const told = await proxy.ask(offer(dialog, sdpOf(CORE)));
    return Buffer.from(octetsOf(told, 'sdp') ?? []).toString();
  };
  t.notRegex(await ask(), /tep/);
  const { 'ng.listen': listen, 'ng.rtpengine': rtpengine, ...others } = service.settings;
  const at = { family: 4, address: Uint8Array.of(192, 0, 2, 1), port: 80 } as const;
  const changed = {
    ...{ 'ng.listen': listen, 'ng.rtpengine': rtpengine, ...others },
    'ng.advertise': { transport: 'TCP', at },
    'ng.mark-offers': ['all'],
  } as const;
  t.is(await service.server.reload(changed), undefined);
  t.regex(await ask(), /^a=3gpp-tep:80 TCP IN IP4 192\.0\.2\.1\r$/m);
});

/** The phone of the tunnel calls; what it is told. */
async function establish(
  gateway: Gateway,
  proxy: SipProxy,
  call: TestCall,
  id = 'call',
): Promise<string> {
  const dialog = { ...DIALOG, callId: id };
  gateway.answers.offer = { result: 'ok', sdp: sdpOf({ address: '127.0.0.1', port: 9_000 }) };
  gateway.answers.answer = { result: 'ok', sdp: sdpOf(phoneAt(call.gateway.socket.local)) };
  await proxy.ask(offer(dialog, sdpOf({ ...phoneAt(call.address), can: true })));
  const told = await proxy.ask(answer(dialog, sdpOf(CORE)));
  return Buffer.from(octetsOf(told, 'sdp') ?? []).toString();
}

function phoneAt({ address, port }: Endpoint): Phone {
  return { address: formatAddress(address, 0, address.length), port };
}
