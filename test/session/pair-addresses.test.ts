/** Which public addresses tunnels get, from end to end (tep-wire 5). */
import test from 'ava';
import type { Endpoint } from '../../wire/address.ts';
import { type ClientSide, endpoint } from '../sim/sides.ts';
import { flows, newClient, newPair, pool, RTCP, RTP, relay, toldAddresses } from './scenario.ts';

const UE_SIX = endpoint('[fd00::2]:4000');
const GATEWAY_SIX = endpoint('[2001:db8:9::10]:30000');

function codes(client: ClientSide): number[] {
  return client.of('bind-failed').map((failed) => failed.code);
}

test('[B8] two users behind one NAT who want the same ports get different ones', (t) => {
  const pair = newPair({ seed: 5 });
  const alice = newClient(pair, { name: 'alice' });
  const bob = newClient(pair, { name: 'bob' });
  for (const client of [alice, bob]) client.bind(RTP, { port: 20_000, pair: true });
  pair.clock.runFor(1000);
  const [a] = toldAddresses(alice);
  const [b] = toldAddresses(bob);
  t.is(a, '198.51.100.7:20000');
  t.regex(b ?? '', /^198\.51\.100\.7:\d+$/);
  t.not(a, b);
  for (let i = 0; i < 20; i++) {
    flows(t, pair, alice, [RTP, RTCP]);
    flows(t, pair, bob, [RTP, RTCP]);
  }
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-5] two applications of one UE that want the same public port get different ones', (t) => {
  const pair = newPair({ seed: 12 });
  const alice = newClient(pair);
  const other = endpoint('10.0.0.3:4000');
  for (const ue of [RTP, other]) alice.bind(ue, { port: 20_000 });
  pair.clock.runFor(1000);
  alice.bind(RTCP, { port: 20_000 });
  pair.clock.runFor(1000);
  t.is(new Set(toldAddresses(alice)).size, 3);
  flows(t, pair, alice, [RTP, other, RTCP]);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-5] a port released and wanted again at once stays bound, whichever stripe is faster', (t) => {
  for (const slow of [0, 1]) {
    const pair = newPair({ seed: 18 });
    const alice = newClient(pair, { stripes: 2 });
    alice.bind(RTP, { port: 20_000 });
    pair.clock.runFor(1000);
    pair.connections[slow]?.link.up.hold();
    // In one turn of the agent: nothing is written in between.
    alice.end.release(RTP, 17, pair.clock.now);
    alice.bind(RTP, { port: 20_000 });
    pair.clock.runFor(500);
    pair.connections[slow]?.link.up.release();
    pair.clock.runFor(1000);
    flows(t, pair, alice);
    t.deepEqual(new Set(toldAddresses(alice)), new Set(['198.51.100.7:20000']));
    t.deepEqual(pair.traffic.wrongs, []);
  }
});

test('[W-5] pool: each tunnel has its own address, so both get the port that they want', (t) => {
  const pair = newPair({ seed: 13 }, { addresses: pool('203.0.113.0/29') });
  const clients = ['alice', 'bob'].map((name) => newClient(pair, { name }));
  for (const client of clients) client.bind(RTP, { port: 20_000, pair: true });
  pair.clock.runFor(1000);
  t.deepEqual(clients.flatMap(toldAddresses), ['203.0.113.1:20000', '203.0.113.2:20000']);
  for (const client of clients) flows(t, pair, client, [RTP, RTCP]);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-5] IPv4 and IPv6 media in one tunnel, whatever the outer family is', (t) => {
  const addresses = pool('203.0.113.0/29', '2001:db8:5::/64');
  const pair = newPair({ seed: 14 }, { addresses });
  const alice = newClient(pair);
  for (const ue of [RTP, UE_SIX]) alice.bind(ue, { port: 20_000 });
  pair.clock.runFor(1000);
  t.deepEqual(toldAddresses(alice), ['203.0.113.1:20000', '[2001:db8:5::1]:20000']);
  flows(t, pair, alice);
  const sent = [
    pair.uplink(alice, UE_SIX, GATEWAY_SIX, 1200),
    pair.downlink(alice, UE_SIX, GATEWAY_SIX, 1200),
  ];
  pair.clock.runFor(1000);
  for (const { deliveredBy } of sent) t.is(deliveredBy, 0);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-5] 440 for a family without an address, and the other one goes on', (t) => {
  const pair = newPair({ seed: 15 });
  const alice = newClient(pair);
  for (const ue of [RTP, UE_SIX]) alice.bind(ue);
  pair.clock.runFor(1000);
  t.deepEqual(codes(alice), [440]);
  flows(t, pair, alice);
});

test('[W-5] 508 when no port is left, until one is released', (t) => {
  const pair = newPair({ seed: 16 }, { ports: { first: 20_000, last: 20_002 } });
  const alice = newClient(pair);
  const ues: Endpoint[] = [1, 2, 3, 4].map((i) => ({ ...RTP, port: 4000 + 10 * i }));
  for (const ue of ues) alice.bind(ue);
  pair.clock.runFor(1000);
  t.deepEqual(codes(alice), [508]);
  const [first = RTP, ...others] = ues;
  alice.release(first);
  alice.bind(RTP);
  pair.clock.runFor(1000);
  t.deepEqual(codes(alice), [508]);
  flows(t, pair, alice, [RTP, ...others.slice(0, 2)]);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-5] 486 when the quota of the user is used up', (t) => {
  const quota = { bindingsPerTunnel: 4, bindingsPerUser: 5, tunnelsPerUser: 2 };
  const pair = newPair({ seed: 17 }, { quota });
  const clients = ['alice', 'alice', 'alice', 'bob'].map((name) => newClient(pair, { name }));
  for (const client of clients) {
    client.bind(RTP, { pair: true });
    client.bind({ ...RTP, port: 5000 });
    pair.clock.runFor(1000);
  }
  t.deepEqual(
    clients.map(toldAddresses).map((told) => told.length),
    [2, 1, 0, 2],
  );
  t.deepEqual(codes(clients[1] ?? newClient(pair)), [486]);
  t.is(clients[2]?.of('closed')[0]?.code, 486);
});

test('[W-5] relay: the port is told when its socket is there, another one when it is not', (t) => {
  const pair = newPair({ seed: 11 }, { addresses: relay('203.0.113.5') });
  const alice = newClient(pair);
  let refusals = 1;
  pair.canListen = () => refusals-- <= 0;
  alice.bind(RTP, { port: 50_000 });
  pair.clock.runFor(1000);
  const [address = ''] = toldAddresses(alice);
  t.regex(address, /^203\.0\.113\.5:/);
  t.not(address, '203.0.113.5:50000');
  flows(t, pair, alice);
  t.deepEqual(pair.traffic.wrongs, []);
});
