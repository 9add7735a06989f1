/** Connections that fall silent, networks that change, TEP-S that forgets (tep-wire 7). */
import test from 'ava';
import { writeUdpPacket } from '../../wire/build.ts';
import { FAULTS } from '../../wire/faults.ts';
import {
  FORBIDDEN,
  flows,
  GATEWAY,
  isBound,
  LONG_MS,
  newClient,
  newPair,
  RTCP,
  RTP,
  toldAddresses,
} from './scenario.ts';

test('[M-19] a black hole is noticed after 40 s and the tunnel resumed over a new connection', (t) => {
  const pair = newPair({ seed: 1 });
  const alice = newClient(pair);
  alice.bind(RTP, { port: 20_000, pair: true });
  pair.clock.runFor(1000);
  flows(t, pair, alice);
  pair.connections[0]?.link.hold();
  const heldMs = pair.clock.now;
  const lost = [pair.uplink(alice, RTP, GATEWAY), pair.downlink(alice, RTP, GATEWAY)];
  t.true(pair.clock.runUntilTrue(() => pair.connections.length === 2, LONG_MS));
  const afterMs = pair.clock.now - heldMs;
  t.true(afterMs > 38_000 && afterMs <= 40_000, `${afterMs} ms`);
  t.is(alice.of('close')[0]?.fault, FAULTS.IDLE);
  pair.clock.runFor(5000);
  flows(t, pair, alice, [RTP, RTCP]);
  t.deepEqual(
    alice.of('opened').map((o) => o.resumed),
    [false, true],
  );
  t.deepEqual(new Set(toldAddresses(alice)), new Set(['198.51.100.7:20000']));
  // What the hole swallowed comes out of it now: too late for both ends.
  pair.connections[0]?.link.release();
  pair.clock.runFor(1000);
  t.deepEqual(
    lost.map((s) => s.deliveredBy),
    [-1, -1],
  );
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[M-19] silence shorter than 40 s is a delay and no loss', (t) => {
  const pair = newPair({ seed: 2 });
  const alice = newClient(pair);
  alice.bind(RTP);
  pair.clock.runFor(1000);
  pair.connections[0]?.link.hold();
  const late = [pair.uplink(alice, RTP, GATEWAY), pair.downlink(alice, RTP, GATEWAY)];
  pair.clock.runFor(24_000);
  pair.connections[0]?.link.release();
  pair.clock.runFor(1000);
  t.deepEqual(
    late.map((s) => s.deliveredBy),
    [0, 0],
  );
  t.is(pair.connections.length, 1);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-7] an idle tunnel stays on its connection for hours', (t) => {
  const pair = newPair({ seed: 3 });
  const alice = newClient(pair);
  alice.bind(RTP);
  pair.clock.runFor(6 * 3_600_000);
  flows(t, pair, alice);
  t.is(pair.connections.length, 1);
  t.is(alice.end.counters.dropped + pair.server.end.counters.dropped, 0);
});

test('[G-13] another network, another outer address: the public address stays', (t) => {
  const pair = newPair({ seed: 4 });
  const alice = newClient(pair);
  alice.bind(RTP, { port: 20_000 });
  pair.clock.runFor(1000);
  alice.outer = '203.0.113.99';
  alice.cutAll({ serverAfterMs: 60_000 });
  pair.clock.runFor(3000);
  flows(t, pair, alice);
  t.is(pair.connections.length, 2);
  t.deepEqual(new Set(toldAddresses(alice)), new Set(['198.51.100.7:20000']));
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[C-22] what a tunnel may not send is dropped and counted, and the tunnel stays', (t) => {
  const pair = newPair({ seed: 6 });
  const alice = newClient(pair, { name: 'alice' });
  const bob = newClient(pair, { name: 'bob' });
  for (const client of [alice, bob]) client.bind(RTP);
  pair.clock.runFor(1000);
  // Bob's TEP-C is made to send with Alice's public address.
  const forged = new Uint8Array(100);
  const length = writeUdpPacket(forged, 0, alice.publicOf(RTP), GATEWAY, new Uint8Array(20), 0, 20);
  bob.up()[0]?.link.up.write(forged.subarray(0, length));
  t.is(pair.uplink(bob, RTP, FORBIDDEN).result, 0);
  pair.clock.runFor(1000);
  const { counters } = pair.server.end;
  t.is(counters.of(FAULTS.FOREIGN_SOURCE), 1);
  t.is(counters.of(FAULTS.DESTINATION_FORBIDDEN), 1);
  t.is(counters.dropped, 2);
  for (const client of [alice, bob]) flows(t, pair, client);
  t.is(pair.connections.length, 2);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-7] after LIFETIME without a connection a new tunnel is opened and bound again', (t) => {
  const pair = newPair({ seed: 7 });
  const alice = newClient(pair);
  alice.bind(RTP, { port: 20_000, pair: true });
  pair.clock.runFor(1000);
  pair.reach = 'refused';
  alice.cutAll();
  pair.clock.runFor(LONG_MS);
  t.is(pair.server.of('tunnel-closed').at(-1)?.why, 'expired');
  pair.reach = 'server';
  t.true(pair.clock.runUntilTrue(() => alice.end.state === 'up', LONG_MS));
  pair.clock.runFor(1000);
  flows(t, pair, alice, [RTP, RTCP]);
  t.deepEqual(
    alice.of('opened').map((o) => o.resumed),
    [false, false],
  );
  t.is(pair.server.of('tunnel-opened').length, 2);
  // The port that it had is asked for again, so the SDP of the call still holds.
  t.deepEqual(new Set(toldAddresses(alice)), new Set(['198.51.100.7:20000']));
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-7] TEP-S notices a loss later than TEP-C: LIFETIME runs there, and the tunnel is resumed', (t) => {
  const pair = newPair({ seed: 7 });
  const alice = newClient(pair);
  alice.bind(RTP, { port: 20_000, pair: true });
  pair.clock.runFor(1000);
  pair.reach = 'refused';
  // TEP-S hears nothing for 40 s and keeps the tunnel for 30 s more.
  alice.cutAll({ serverAfterMs: LONG_MS });
  pair.clock.runFor(45_000);
  pair.reach = 'server';
  t.true(pair.clock.runUntilTrue(() => alice.end.state === 'up', 20_000));
  flows(t, pair, alice, [RTP, RTCP]);
  t.deepEqual(
    alice.of('opened').map((o) => o.resumed),
    [false, true],
  );
  t.is(pair.server.of('tunnel-opened').length, 1);
  t.deepEqual(new Set(toldAddresses(alice)), new Set(['198.51.100.7:20000']));
});

test('[W-7] a port that was taken in the meantime is replaced, and that is told', (t) => {
  const pair = newPair({ seed: 8 });
  const alice = newClient(pair, { name: 'alice' });
  alice.bind(RTP, { port: 20_000 });
  pair.clock.runFor(1000);
  pair.reach = 'refused';
  alice.cutAll();
  pair.clock.runFor(LONG_MS);
  pair.reach = 'server';
  const bob = newClient(pair, { name: 'bob' });
  // Before Alice's next attempt.
  bob.bind(RTP, { port: 20_000 });
  pair.clock.runFor(200);
  t.true(pair.clock.runUntilTrue(() => isBound(alice) && alice.of('bound').length > 1, LONG_MS));
  t.is(alice.of('bound').at(-1)?.changed, true);
  flows(t, pair, alice);
  flows(t, pair, bob);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-7] TEP-S restarts and knows no token: a new tunnel, the same ports', (t) => {
  const pair = newPair({ seed: 9 });
  const alice = newClient(pair);
  alice.bind(RTP, { port: 20_000, pair: true });
  pair.clock.runFor(10_000);
  pair.restartServer();
  pair.clock.runFor(5000);
  flows(t, pair, alice, [RTP, RTCP]);
  t.deepEqual(new Set(toldAddresses(alice)), new Set(['198.51.100.7:20000']));
  t.is(alice.up().length, 1);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-7] nobody at home: attempts go on with growing pauses, the call starts when TEP-S does', (t) => {
  const pair = newPair({ seed: 10 });
  const alice = newClient(pair);
  pair.reach = 'refused';
  alice.bind(RTP);
  pair.clock.runFor(600_000);
  const attempts = alice.of('connect').length;
  t.true(attempts >= 20 && attempts <= 60, `${attempts} attempts in ten minutes`);
  pair.reach = 'server';
  pair.clock.runFor(31_000);
  flows(t, pair, alice);
});
