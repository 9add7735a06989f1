import test from 'ava';
import { dial } from '../../io/dial/dial.ts';
import { DIRECT } from '../../io/dial/types.ts';
import { endpointOf } from '../../io/endpoints.ts';
import { systemRandom } from '../../io/random.ts';
import { UdpSockets } from '../../io/udp-sockets.ts';
import { ClientAgent } from '../../tep-client/agent.ts';
import { type ClientEvent, DEFAULT_PORT } from '../../tep-client/options.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { FAULTS, faultName } from '../../wire/faults.ts';
import { Diary } from './diary.ts';
import { anotherClient, ipv6Missing, openCall, openPair } from './pair.ts';
import { type CuttableWire, openWire } from './wire.ts';

for (const [name, host, missing] of [
  ['IPv4', '127.0.0.1', undefined],
  ['IPv6', '::1', ipv6Missing],
] as const) {
  const register = missing === undefined ? test : test.skip;
  const why = missing === undefined ? '' : ` (${missing})`;
  register(`[M-11] [M-12] a datagram each way through both agents, ${name}${why}`, async (t) => {
    const pair = await openPair({ host });
    const { phone, gateway, standIn, address, close } = await openCall(pair);

    phone.say('from the phone', standIn);
    const up = await gateway.hear('from the phone');
    t.is(formatEndpoint(up.from), formatEndpoint(address));
    t.not(formatEndpoint(address), formatEndpoint(phone.socket.local));

    gateway.say('from the gateway', up.from);
    const down = await phone.hear('from the gateway');
    t.is(formatEndpoint(down.from), formatEndpoint(standIn));

    t.is(pair.client.counters.sentRecords, 1);
    t.is(pair.client.counters.receivedRecords, 1);
    t.is(pair.server.counters.dropped, 0);
    await close();
    await pair.stop();
  });
}

test('[W-7] a cut connection: the tunnel resumes and the public address stays', async (t) => {
  let wire: CuttableWire | undefined;
  const pair = await openPair({
    through: async (server) => {
      wire = await openWire(server);
      return wire.target;
    },
  });
  const { phone, gateway, standIn, address, close } = await openCall(pair);
  phone.say('before', standIn);
  await gateway.hear('before');

  const mark = pair.clientSays.events.length;
  wire?.cut();
  const again = await pair.clientSays.first('opened', () => true, mark);
  t.true(again.resumed);
  phone.say('after', standIn);
  const up = await gateway.hear('after');
  t.is(formatEndpoint(up.from), formatEndpoint(address));
  gateway.say('answer', address);
  await phone.hear('answer');
  t.is(wire?.count, 2);
  t.deepEqual(
    pair.serverSays.events.filter(({ type }) => type === 'tunnel-opened' || type === 'listen')
      .length,
    2,
  );
  await close();
  await pair.stop();
  await wire?.close();
});

test('opening a tunnel that is open is answered at once, with the same', async (t) => {
  const pair = await openPair();
  const first = await pair.client.open();
  t.is(first.type, 'opened');
  t.deepEqual(await pair.client.open(), first);
  await pair.stop();
});

test('[G-25] packets for which no connection comes in time are dropped and counted', async (t) => {
  let wire: CuttableWire | undefined;
  const pair = await openPair({
    through: async (server) => {
      wire = await openWire(server);
      return wire.target;
    },
  });
  const { gateway, phone, address, close } = await openCall(pair);
  const cut = pair.serverSays.first('tunnel-state', ({ to }) => to === 'lost');
  await wire?.close();
  await cut;
  gateway.say('into the void', address);
  while (pair.server.counters.dropped === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const reasons = [...pair.server.counters.faults.entries()].filter(([, n]) => n > 0);
  t.deepEqual(
    reasons.map(([fault]) => faultName(fault as Parameters<typeof faultName>[0])),
    ['no-connection'],
  );
  t.deepEqual(phone.heard.events, []);
  await close();
  await pair.stop();
});

test('[M-10] a wrong password: a clear answer from open and from bind, nothing hangs', async (t) => {
  const pair = await openPair({ password: 'wrong' });
  const answer = await pair.client.open();
  t.like(answer, { type: 'closed', why: 'refused', code: 401 });
  const ue = endpointOf('127.0.0.1', 40_000);
  t.like(await pair.client.bind(ue), { type: 'bind-failed', code: 401 });
  t.deepEqual(
    pair.serverSays.events.filter(({ type }) => type === 'tunnel-opened'),
    [],
  );
  await pair.stop();
});

test('nobody listens: told at each attempt; stopping answers whoever waits', async (t) => {
  const other = await openPair();
  await other.stop();
  const pair = await openPair({ through: async () => ({ host: '127.0.0.1', port: 1 }) });
  const opening = pair.client.open();
  const { fault } = await pair.clientSays.first('connect-failed');
  t.is(fault.code, 'ECONNREFUSED');
  await pair.stop();
  t.like(await opening, { type: 'closed', why: 'asked' });
});

test('[W-7] four stripes carry one tunnel', async (t) => {
  const pair = await openPair({ stripes: 4 });
  const { phone, gateway, standIn, close } = await openCall(pair);
  await pair.serverSays.first('tunnel-joined', ({ stripe }) => stripe === 1);
  await pair.serverSays.first('tunnel-joined', ({ stripe }) => stripe === 2);
  await pair.serverSays.first('tunnel-joined', ({ stripe }) => stripe === 3);
  for (let i = 0; i < 100; i++) phone.say(`packet ${i}`, standIn);
  for (let i = 0; i < 100; i++) await gateway.hear(`packet ${i}`);
  t.is(gateway.heard.events.length, 100);
  await close();
  await pair.stop();
});

test('an address that was released is closed at TEP-S', async (t) => {
  const pair = await openPair();
  const { phone, address, close } = await openCall(pair);
  const { id } = await pair.serverSays.first('listen');
  pair.client.release(phone.socket.local);
  const ended = await pair.serverSays.first('listen-end');
  t.is(ended.id, id);
  const gone = await pair.serverSays.first('released');
  t.is(formatEndpoint(gone.address), formatEndpoint(address));
  await close();
  await pair.stop();
});

test('the server stops first: its sockets close, the client notices and can be stopped', async (t) => {
  const pair = await openPair();
  const { close } = await openCall(pair);
  await pair.server.stop();
  await pair.clientSays.first('connection-state', ({ to }) => to === 'closed');
  await close();
  await pair.client.stop();
  t.pass();
});

test('a client that reads nothing costs packets of its own, counted; others go on', async (t) => {
  let wire: CuttableWire | undefined;
  const pair = await openPair({
    through: async (server) => {
      wire = await openWire(server);
      return wire.target;
    },
  });
  const stalled = await openCall(pair);
  const other = anotherClient(pair);
  const healthy = await openCall(other, 1);
  wire?.stall();
  const { counters } = pair.server;
  // More than the queue and the buffers of the system hold: datagrams of 60,000 octets.
  const much = 'x'.repeat(60_000);
  const dropped = () => counters.of(FAULTS.MEDIA_TOO_OLD) + counters.of(FAULTS.MEDIA_TOO_FULL);
  for (let i = 0; i < 2_000 && dropped() === 0; i++) {
    stalled.gateway.say(much, stalled.address);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.true(dropped() > 0);
  healthy.phone.say('still here', healthy.standIn);
  await healthy.gateway.hear('still here');
  healthy.gateway.say('so are you', healthy.address);
  await healthy.phone.hear('so are you');
  await wire?.close();
  await stalled.close();
  await healthy.close();
  await other.stop();
  await pair.stop();
});

test('[M-07] TEP-C opens TCP to port 80 of TEP-S when a call needs it, not before', async (t) => {
  const says = new Diary<ClientEvent>();
  // Refused by any system at once, whatever runs on it.
  const server = { host: '255.255.255.255', port: DEFAULT_PORT, tls: false };
  const client = new ClientAgent({
    dial: () => dial(server, DIRECT, 10_000),
    packets: new UdpSockets(systemRandom),
    observe: says.add,
    tunnel: { auth: { mechanism: 'none' } },
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(says.events, []);
  const binding = client.bind(endpointOf('127.0.0.1', 40_000));
  const { fault } = await says.first('connect-failed');
  t.regex(fault.text, / 255\.255\.255\.255:80\b/);
  await client.stop();
  t.like(await binding, { type: 'closed', why: 'asked' });
});

test('whoever waits for a binding is answered when it is released, or when all is stopped', async (t) => {
  const pair = await openPair();
  const ue = endpointOf('127.0.0.1', 40_000);
  const waiting = pair.client.bind(ue);
  pair.client.release(ue);
  t.like(await waiting, { type: 'bind-failed', code: 0, reason: 'released' });
  await pair.stop();
  await pair.stop();
  t.like(await pair.client.open(), { type: 'closed', reason: 'stopped' });
  t.like(await pair.client.bind(ue), { type: 'closed', reason: 'stopped' });
});
