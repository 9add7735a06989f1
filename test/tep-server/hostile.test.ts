import test from 'ava';
import { systemRandom } from '../../io/random.ts';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { find } from '../../wire/stun/message.ts';
import { openCall, openClient, openTalker } from '../daemon/pair.ts';
import { codeOf, OPEN, Raw } from './raw.ts';
import { settingsOf, startService, until } from './service.ts';

const ANY_PORT: Attribute = { type: 'TEP-BINDING', value: { port: 0, flags: 0, protocol: 17 } };

function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

async function bound(raw: Raw): Promise<Endpoint> {
  const address = find(await raw.ask(ANY_PORT), 'XOR-MAPPED-ADDRESS');
  if (address === undefined) throw new Error('not bound');
  return address;
}

test('[M-10] a stolen token opens nothing for another user, nor for who has no password', async (t) => {
  const service = await startService(t, settingsOf(t));
  const alice = await Raw.open(t, service);
  const token = find(await alice.ask(OPEN), 'TEP-TUNNEL') ?? new Uint8Array(0);
  const join: Attribute = { type: 'TEP-TUNNEL', value: token };
  const bob = await Raw.open(t, service, 'bob', 'another one');
  t.is(codeOf(await bob.ask(join)), 403);
  const guessing = await Raw.open(t, service, 'alice', 'a guess');
  t.is(codeOf(await guessing.ask(join)), 401);
  // What is not known gets the same answer: it tells nothing about which tokens there are.
  const unknown: Attribute = { type: 'TEP-TUNNEL', value: systemRandom(16) };
  const other = await Raw.open(t, service, 'bob', 'another one');
  t.is(codeOf(await other.ask(unknown)), 403);
  t.is(service.status().tunnels[0]?.connections.length, 1);
});

test('[M-10] a recorded request is worth nothing on another connection', async (t) => {
  const service = await startService(t, settingsOf(t));
  const alice = await Raw.open(t, service);
  await alice.ask(OPEN);
  const recorded = alice.last;
  const eve = await Raw.open(t, service, 'eve', 'a guess');
  t.is(codeOf(await eve.send(recorded)), 438);
  eve.packet(endpoint('127.0.0.1:50000'), endpoint('127.0.0.1:50001'));
  await new Promise((resolve) => eve.socket.once('close', resolve));
  await until(() => service.status().drops['frame-type'] === 1);
  t.is(service.status().tunnelCount, 1);
});

test('[C-22] who claims the public address of another call is not heard', async (t) => {
  const service = await startService(t, settingsOf(t));
  const tep = openClient({ host: '127.0.0.1', port: service.at.port }, {});
  const call = await openCall(tep);
  const gateway = await openTalker('127.0.0.1');
  const bob = await Raw.open(t, service, 'bob', 'another one');
  await bob.ask(OPEN);
  const own = await bound(bob);
  bob.packet(call.address, gateway.socket.local);
  bob.packet({ ...own, port: own.port === 65_535 ? 49_152 : own.port + 1 }, gateway.socket.local);
  await until(() => service.status().drops['foreign-source'] === 2);
  // He cannot give it back either: a release names what is bound to its own tunnel.
  const release: Attribute = {
    type: 'TEP-BINDING',
    value: { port: call.address.port, flags: 2, protocol: 17 },
  };
  t.is(codeOf(await bob.ask(release)), 0);
  call.phone.say('still mine', call.standIn);
  await call.gateway.hear('still mine');
  t.deepEqual(gateway.heard.events, []);
  await gateway.socket.close();
  await call.close();
  await tep.client.stop();
});

test('[G-22] destinations that are nobody: loopback, metadata, link-local, the own ports, in any dress', async (t) => {
  const service = await startService(
    t,
    settingsOf(
      t,
      ...['--listen', '127.0.0.1:0', '--media-allow', '0.0.0.0/0', '--media-allow', '::/0'],
      ...['--addresses-public', '127.0.0.1', '--addresses-public', '::1'],
    ),
  );
  const eve = await Raw.open(t, service, 'bob', 'another one');
  await eve.ask(OPEN);
  const four = await bound(eve);
  for (const text of [
    '127.0.0.1:5000',
    '169.254.169.254:80',
    '0.0.0.0:5000',
    '224.0.0.1:5000',
    '255.255.255.255:5000',
  ]) {
    eve.packet(four, endpoint(text));
  }
  await until(() => service.status().drops['destination-forbidden'] === 5);
  eve.packet(four, service.at);
  await until(() => service.status().drops['destination-own'] === 1);
  const wish: Attribute = { type: 'REQUESTED-ADDRESS-FAMILY', value: 6 };
  const six = find(await eve.ask(ANY_PORT, wish), 'XOR-MAPPED-ADDRESS');
  if (six?.family !== 6) {
    t.log('no IPv6 here');
    return;
  }
  for (const text of [
    '[::ffff:127.0.0.1]:5000',
    '[::ffff:169.254.169.254]:80',
    '[2002:7f00:1::]:9',
  ]) {
    eve.packet(six, endpoint(text));
  }
  await until(() => service.status().drops['destination-disguised'] === 3);
  t.is(service.status().port.sent, 0);
});
