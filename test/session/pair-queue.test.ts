/** A peer that reads slowly, and tunnels of several connections (G-25; tep-wire 7). */
import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import { endpoint } from '../sim/sides.ts';
import type { Way } from '../sim/traffic.ts';
import { flows, GATEWAY, newClient, newPair, RTCP, RTP, toldAddresses } from './scenario.ts';

const SLOW = { delayMs: 20, octetsPerMs: 2, windowOctets: 4096 };
const QUEUE_OCTETS = 20_480;
/** The class of these packets may wait 2 s; then the window and one write are before it. */
const LATEST_MS = 2_000 + (4096 + 1_400) / 2 + 40;
const PACKET_LEN = 1000;
const HEADERS_LEN = 28;

for (const way of ['uplink', 'downlink'] as const satisfies readonly Way[]) {
  test(`[G-25] ${way} over a slow reader: bounded queue, drops counted, then all is well again`, (t) => {
    const media = { queueOctets: QUEUE_OCTETS };
    const pair = newPair({ seed: 1, link: SLOW }, { media });
    const alice = newClient(pair, { media });
    alice.bind(RTP);
    pair.clock.runFor(2000);
    const sender = way === 'uplink' ? alice.end : pair.server.end;
    for (let i = 0; i < 300; i++) pair[way](alice, RTP, GATEWAY, PACKET_LEN);
    const displaced = sender.counters.of(FAULTS.MEDIA_TOO_FULL);
    const kept = 300 - displaced;
    t.true(kept >= 15, `${kept} kept`);
    // Of what was given to the connection before its window was full there is one write.
    t.true(kept * (PACKET_LEN + HEADERS_LEN) <= QUEUE_OCTETS + SLOW.windowOctets + 1_400);
    // A control message has room even now.
    alice.bind(endpoint('10.0.0.2:5000'));
    pair.clock.runFor(30_000);
    t.is(alice.of('bound').length, 2);
    t.is(sender.counters.dropped, displaced + sender.counters.of(FAULTS.MEDIA_TOO_OLD));
    t.is(
      pair.traffic.count(way, (s) => s.deliveredBy >= 0),
      300 - sender.counters.dropped,
    );
    const late = pair.traffic.count(way, (s) => s.deliveredMs - s.sentMs > LATEST_MS);
    t.is(late, 0);
    t.is(pair.connections.length, 1);
    flows(t, pair, alice);
    t.deepEqual(pair.traffic.wrongs, []);
  });
}

test('[M-20] one to eight stripes: every one of them carries packets, none is lost', (t) => {
  for (let stripes = 1; stripes <= 8; stripes++) {
    const pair = newPair({ seed: stripes, link: { delayMs: 2, windowOctets: 200 } });
    const alice = newClient(pair, { stripes });
    alice.bind(RTP, { pair: true });
    pair.clock.runFor(2000);
    t.is(alice.up().length, stripes);
    for (let i = 0; i < 25; i++) {
      for (let k = 0; k < 16; k++) {
        pair.uplink(alice, RTP, GATEWAY, 500);
        pair.downlink(alice, RTCP, GATEWAY, 500);
      }
      pair.clock.runFor(200);
    }
    pair.clock.runFor(1000);
    t.is(
      pair.traffic.count('uplink', (s) => s.deliveredBy >= 0),
      400,
    );
    t.is(
      pair.traffic.count('downlink', (s) => s.deliveredBy >= 0),
      400,
    );
    for (const way of ['uplink', 'downlink']) {
      const used = new Set(pair.traffic.sent.filter((s) => s.way === way).map((s) => s.writtenTo));
      t.is(used.size, stripes, `${way} on ${[...used]}`);
    }
    t.is(pair.server.of('tunnel-opened').length, 1);
    t.deepEqual(pair.traffic.wrongs, []);
  }
});

test('[W-7] one of four stripes is lost: the others go on, and it comes back', (t) => {
  const pair = newPair({ seed: 9, link: { octetsPerMs: 50 } });
  const alice = newClient(pair, { stripes: 4 });
  alice.bind(RTP, { port: 20_000 });
  pair.clock.runFor(6000);
  t.is(pair.connections.length, 4);
  const victim = pair.connections[2];
  victim?.link.cut({ serverAfterMs: 5 });
  for (let i = 0; i < 50; i++) {
    pair.uplink(alice, RTP, GATEWAY, 500);
    pair.downlink(alice, RTP, GATEWAY, 500);
    pair.clock.runFor(10);
  }
  pair.clock.runFor(5000);
  const lost = pair.traffic.sent.filter((s) => s.deliveredBy < 0);
  t.true(
    lost.every((s) => s.writtenTo === 2),
    'only what the lost connection carried',
  );
  t.true(lost.length <= 4, `${lost.length} lost`);
  t.is(alice.up().length, 4);
  t.is(alice.of('opened').length, 1);
  t.deepEqual(toldAddresses(alice), ['198.51.100.7:20000']);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-7] all stripes lost at once: one resumes, the others join', (t) => {
  const pair = newPair({ seed: 10 });
  const alice = newClient(pair, { stripes: 8 });
  alice.bind(RTP, { port: 20_000, pair: true });
  pair.clock.runFor(6000);
  alice.cutAll({ serverAfterMs: 2000 });
  pair.clock.runFor(20_000);
  t.is(alice.up().length, 8);
  flows(t, pair, alice, [RTP, RTCP]);
  t.is(pair.server.of('tunnel-opened').length, 1);
  t.deepEqual(new Set(toldAddresses(alice)), new Set(['198.51.100.7:20000']));
  t.deepEqual(pair.traffic.wrongs, []);
});

for (const way of ['uplink', 'downlink'] as const satisfies readonly Way[]) {
  test(`[G-25] ${way}: what waits when the tunnel ends is counted, by the flow too`, (t) => {
    const pair = newPair({ seed: 4, link: { delayMs: 20, octetsPerMs: 2, windowOctets: 4096 } });
    const alice = newClient(pair);
    alice.bind(RTP);
    pair.clock.runFor(2_000);
    const end = way === 'uplink' ? alice.end : pair.server.end;
    for (let i = 0; i < 60; i++) pair[way](alice, RTP, GATEWAY, PACKET_LEN);
    // Until nobody has anything to write to a connection that takes nothing.
    pair.clock.runFor(10);
    const waiting =
      way === 'uplink' ? alice.end.status().waiting : pair.server.end.tunnels()[0]?.waiting;
    const packets = waiting?.packets ?? 0;
    t.true(packets > 10, `${packets} wait`);
    // TEP-S that has forgotten all of it makes TEP-C open another tunnel, with other public addresses.
    if (way === 'uplink') pair.restartServer();
    else pair.server.end.stop(pair.clock.now);
    pair.clock.runFor(1_500);
    t.is(end.counters.of(FAULTS.MEDIA_ENDED), packets);
    if (way === 'downlink') return;
    const [lane] = alice.end.status().bindings[0]?.sending ?? [];
    t.like(lane, { class: 'other', tunnelEnded: packets });
    t.is(pair.server.end.counters.dropped, 0);
  });
}

test('[G-25] what no connection came for in time is counted by flow and class', (t) => {
  const pair = newPair({ seed: 5 });
  const alice = newClient(pair);
  alice.bind(RTP);
  pair.clock.runFor(2_000);
  for (const { link } of pair.up()) link.cut();
  pair.reach = 'silent';
  pair.clock.runFor(100);
  t.is(pair.uplink(alice, RTP, GATEWAY).result, 0);
  t.is(pair.downlink(alice, RTP, GATEWAY).result, 0);
  pair.clock.runFor(1_999);
  t.is(alice.end.counters.dropped + pair.server.end.counters.dropped, 0);
  pair.clock.runFor(1);
  t.is(alice.end.counters.of(FAULTS.NO_CONNECTION), 1);
  t.is(pair.server.end.counters.of(FAULTS.NO_CONNECTION), 1);
  t.like(alice.end.status().bindings[0]?.sending[0], { class: 'other', noConnection: 1 });
  t.like(pair.server.end.tunnels()[0]?.ports[0]?.sending[0], { class: 'other', noConnection: 1 });
});

test('[G-25] all connections are lost and one is there again before packets are too old: all of them come', (t) => {
  const pair = newPair({ seed: 6, link: { delayMs: 10 } });
  const alice = newClient(pair);
  alice.bind(RTP);
  pair.clock.runFor(6_000);
  alice.cutAll();
  pair.clock.runFor(5);
  for (let i = 0; i < 6; i++) {
    pair.uplink(alice, RTP, GATEWAY);
    pair.downlink(alice, RTP, GATEWAY);
    pair.clock.runFor(5);
  }
  t.is(alice.end.status().waiting.packets, 6);
  t.is(pair.server.end.tunnels()[0]?.waiting.packets, 6);
  pair.clock.runFor(200);
  t.is(pair.traffic.sent.filter((s) => s.deliveredBy < 0).length, 0);
  const late = Math.max(...pair.traffic.sent.map((s) => s.deliveredMs - s.sentMs));
  // Three round trips from the cut to the admission, and the way; the first packet came 5 ms after the cut.
  t.is(late, 65);
  t.is(alice.end.counters.dropped + pair.server.end.counters.dropped, 0);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[G-25] what waits for a connection is bounded as all that waits is', (t) => {
  const media = { queueOctets: QUEUE_OCTETS };
  const pair = newPair({ seed: 7 }, { media });
  const alice = newClient(pair, { media });
  alice.bind(RTP);
  pair.clock.runFor(2_000);
  for (const { link } of pair.up()) link.cut();
  pair.reach = 'silent';
  pair.clock.runFor(100);
  for (let i = 0; i < 100; i++) {
    pair.uplink(alice, RTP, GATEWAY, PACKET_LEN);
    pair.downlink(alice, RTP, GATEWAY, PACKET_LEN);
  }
  for (const { counters } of [alice.end, pair.server.end]) {
    t.true(counters.of(FAULTS.MEDIA_TOO_FULL) >= 80);
  }
  t.true(alice.end.status().waiting.octets <= QUEUE_OCTETS);
});
