/** The number of stripes follows the path, and one that stalls is replaced (G-25; tep-wire 7). */
import test from 'ava';
import type { Pair } from '../sim/pair.ts';
import type { ClientSide } from '../sim/sides.ts';
import { flows, GATEWAY, newClient, newPair, RTP } from './scenario.ts';

const STEP_MS = 5;

/** Packets both ways every 5 ms, while TEP-C is told so of its connections. */
function talk(
  pair: Pair,
  alice: ClientSide,
  ms: number,
  state: (
    conn: number,
  ) => { outstanding: number; isTroubled: boolean; outOfOrder?: number } | undefined,
): void {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    pair.uplink(alice, RTP, GATEWAY, 172);
    pair.downlink(alice, RTP, GATEWAY, 172);
    for (const conn of alice.connections.keys()) {
      const known = state(conn);
      if (known) alice.end.carrier(conn, { ...known, rttMs: 20 }, pair.clock.now);
    }
    alice.pump();
    pair.clock.runFor(STEP_MS);
  }
}

const well = () => ({ outstanding: 0, isTroubled: false });
const lossy = () => ({ outstanding: 0, isTroubled: true });

test('[M-20] one connection on a clean path, more while segments get lost, one again after a quiet time', (t) => {
  const pair = newPair({ seed: 1, link: { delayMs: 10 } });
  const alice = newClient(pair, { stripes: 1, mostStripes: 8 });
  alice.bind(RTP);
  pair.clock.runFor(1_000);
  talk(pair, alice, 3_000, well);
  t.is(alice.up().length, 1);
  // 200 packets a second.
  talk(pair, alice, 3_000, lossy);
  t.is(alice.up().length, 2);
  talk(pair, alice, 29_000, well);
  t.is(alice.up().length, 2);
  talk(pair, alice, 2_000, well);
  t.is(alice.up().length, 1);
  pair.clock.runFor(1_000);
  t.is(
    pair.traffic.sent.filter((s) => s.deliveredBy < 0).length,
    0,
    'what was under way on the connection that went has come',
  );
  t.is(alice.end.counters.dropped + pair.server.end.counters.dropped, 0);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[M-20] segments that get lost on the way to TEP-C count as those that it sends', (t) => {
  const pair = newPair({ seed: 1, link: { delayMs: 10 } });
  const alice = newClient(pair, { stripes: 1, mostStripes: 8 });
  alice.bind(RTP);
  pair.clock.runFor(1_000);
  let outOfOrder = 0;
  talk(pair, alice, 2_000, () => ({ ...well(), outOfOrder: ++outOfOrder }));
  t.is(alice.up().length, 2);
  talk(pair, alice, 31_000, () => ({ ...well(), outOfOrder }));
  t.is(alice.up().length, 1);
  t.is(alice.end.counters.dropped + pair.server.end.counters.dropped, 0);
});

test('[W-7] a connection that gets no acknowledgement gets a successor, and media go there at once', (t) => {
  const pair = newPair({ seed: 2, link: { delayMs: 10 } });
  const alice = newClient(pair, { stripes: 1 });
  alice.bind(RTP);
  pair.clock.runFor(1_000);
  talk(pair, alice, 500, well);
  const [first] = alice.up();
  const stalledMs = pair.clock.now;
  first?.link.hold();
  talk(pair, alice, 600, (conn) => {
    return { outstanding: conn === first?.clientConn ? 10_000_000 : 0, isTroubled: true };
  });
  const [second] = alice.up();
  t.not(second, first);
  t.true((second?.createdMs ?? Number.NaN) - stalledMs <= 310, `after ${second?.createdMs}`);
  pair.clock.runFor(100);
  const elsewhere = pair.traffic.sent
    .filter((s) => s.sentMs > stalledMs + 400)
    .filter((s) => s.deliveredBy !== second?.connection);
  t.deepEqual(elsewhere, []);
  t.is(pair.server.of('tunnel-opened').length, 1);
  first?.link.release();
  flows(t, pair, alice, [RTP]);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-7] the path is dead for two seconds: 300 ms after its return media flow again', (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const pair = newPair({ seed, link: { delayMs: 20 } });
    const alice = newClient(pair, { stripes: 1 });
    alice.bind(RTP);
    pair.clock.runFor(1_000 + 17 * seed);
    talk(pair, alice, 500, well);
    pair.reach = 'silent';
    const old = new Set(alice.up().map(({ clientConn }) => clientConn));
    for (const { link } of alice.up()) link.hold();
    const dead = (conn: number) => {
      return { outstanding: old.has(conn) ? 10_000_000 : 0, isTroubled: old.has(conn) };
    };
    talk(pair, alice, 2_000, dead);
    pair.reach = 'server';
    const backMs = pair.clock.now;
    talk(pair, alice, 600, dead);
    const after = pair.traffic.sent.filter(
      (s) => s.sentMs >= backMs + 300 && s.sentMs < backMs + 500,
    );
    t.true(after.length > 0);
    const late = after.filter((s) => s.deliveredBy < 0 || s.deliveredMs - s.sentMs > 25);
    t.deepEqual(late.length, 0, `seed ${seed}: ${late.length} of ${after.length}`);
    t.true(pair.connections.length < 30, `${pair.connections.length} connections`);
  }
});

test('[W-7] what was asked for while the path was dead is asked for anew once a later attempt is through', (t) => {
  const pair = newPair({ seed: 5, link: { delayMs: 20 } });
  const alice = newClient(pair, { stripes: 1, mostStripes: 8 });
  alice.bind(RTP);
  pair.clock.runFor(1_000);
  talk(pair, alice, 500, well);
  pair.reach = 'silent';
  const [first] = alice.up();
  first?.link.hold();
  const dead = (conn: number) => {
    const isDead = conn === first?.clientConn;
    return { outstanding: isDead ? 10_000_000 : 0, isTroubled: isDead };
  };
  const before = alice.of('connect').length;
  talk(pair, alice, 1_000, dead);
  // Segments got lost: so there is to be a second one.
  const asked = alice.of('connect').slice(before);
  t.deepEqual([...new Set(asked.map(({ stripe }) => stripe))].sort(), [0, 1]);
  pair.reach = 'server';
  // The first one has its successor within 220 ms, and the second is there 120 later.
  talk(pair, alice, 360, dead);
  const up = new Set(alice.up().map(({ clientConn }) => clientConn));
  const stripes = alice.of('connect').filter(({ conn }) => up.has(conn));
  t.true(stripes.some(({ stripe }) => stripe === 1));
  flows(t, pair, alice, [RTP]);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-7] an attempt that was answered is not given up for the next one', (t) => {
  const pair = newPair({ seed: 4, link: { delayMs: 40 } });
  const alice = newClient(pair, { stripes: 1 });
  alice.bind(RTP);
  pair.clock.runFor(2_000);
  talk(pair, alice, 500, well);
  const [first] = alice.up();
  first?.link.hold();
  // It is answered after 80 ms, and admitted after 160 more.
  talk(pair, alice, 1_000, (conn) => {
    return { outstanding: conn === first?.clientConn ? 10_000_000 : 0, isTroubled: true };
  });
  t.not(alice.up()[0], first);
  t.is(alice.of('connect').length, 2);
});

test('[W-7] attempts to replace a connection become rarer when they do not help', (t) => {
  const pair = newPair({ seed: 3, link: { delayMs: 10 } });
  const alice = newClient(pair, { stripes: 1 });
  alice.bind(RTP);
  pair.clock.runFor(1_000);
  for (const { link } of alice.up()) link.hold();
  pair.reach = 'silent';
  const asked = () => alice.of('connect').length;
  talk(pair, alice, 20_000, () => ({ outstanding: 10_000_000, isTroubled: true }));
  const before = asked();
  t.true(before < 40, `${before} in 20 s`);
  talk(pair, alice, 12_000, () => ({ outstanding: 10_000_000, isTroubled: true }));
  t.true(asked() - before <= 4, `${asked() - before} in 12 s more`);
});
