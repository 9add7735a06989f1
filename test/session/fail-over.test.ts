/** Several TEP-S and changes of network, as the machine sees them (tep-wire 7; standards G-13). */
import test from 'ava';
import type { ClientOptions } from '../../session/options.ts';
import { FAULTS } from '../../wire/faults.ts';
import { ALICE, Direct, endpoint, udpPacket } from './direct.ts';

const CORE = endpoint('198.51.100.9:30000');
const UE = endpoint('10.0.0.5:4000');
const FAIL_OVER_MS = 10_000;
const PROBE_MS = 3_000;

const WRONG: Partial<ClientOptions> = {
  auth: { mechanism: 'long-term', credentials: { ...ALICE, password: 'wrong' } },
};

/** Something of the network changed, but no address. */
const UNCHANGED = { isCutOff: () => false, isGone: () => false, isNew: () => false };

function say(d: Direct): number {
  const octets = udpPacket(UE, CORE);
  const fault = d.client.packet(octets, 0, octets.length, d.now);
  d.run();
  return fault;
}

test('[M-10] each TEP-S may refuse before the tunnel is given up', (t) => {
  const d = new Direct({ client: { ...WRONG, servers: 3 } });
  d.bind('10.0.0.5:4000');
  d.wait(5_000);
  t.deepEqual(
    d.said('refused').map(({ conn, why, code }) => [conn, why, code]),
    [
      [1, 'refused', 401],
      [2, 'refused', 401],
    ],
  );
  t.is(d.said('closed')[0]?.code, 401);
  t.is(d.said('connect').length, 3);
  t.is(d.said('bind-failed').length, 1);
});

test('[W-7] the second TEP-S lets us in: nobody notices the first', (t) => {
  const d = new Direct({ client: { servers: 2 } });
  d.server.stop(d.now);
  d.isUnreachable = true;
  d.bind('10.0.0.5:4000');
  d.isUnreachable = false;
  d.wait(1_000);
  t.is(d.said('bound').length, 1);
  t.is(d.said('bind-failed').length, 0);
});

test('[W-7] a lost tunnel is sought at its own TEP-S first, then opened anywhere', (t) => {
  const d = new Direct({ client: { servers: 2 } });
  d.bind('10.0.0.5:4000');
  d.wait(6_000);
  t.deepEqual(
    d.said('connect').map(({ joins }) => joins),
    [false],
  );
  d.isUnreachable = true;
  d.cutAll();
  d.wait(FAIL_OVER_MS - 1);
  t.true(
    d
      .said('connect')
      .slice(1)
      .every(({ joins }) => joins),
  );
  t.is(d.client.state, 'lost');
  const seen = d.said('connect').length;
  d.wait(1);
  t.is(d.client.state, 'opening');
  d.isUnreachable = false;
  d.wait(5_000);
  t.true(
    d
      .said('connect')
      .slice(seen)
      .every(({ joins }) => !joins),
  );
  t.false(d.said('opened').at(-1)?.resumed);
  t.is(d.said('bound').length, 2);
  t.is(say(d), 0);
});

test('[W-7] with one TEP-S alone it is sought until that one says otherwise', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  d.wait(6_000);
  d.isUnreachable = true;
  d.cutAll();
  d.wait(60_000);
  t.is(d.client.state, 'lost');
  d.isUnreachable = false;
  d.wait(60_000);
  t.is(d.client.state, 'up');
  t.is(d.said('bound').length, 2);
});

test('[G-13] the local address is gone: another connection at once, the same public address', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  d.wait(1_000);
  const before = d.now;
  d.client.networkChanged({ ...UNCHANGED, isCutOff: () => true }, d.now);
  d.run();
  t.is(d.client.state, 'up');
  t.is(d.now, before);
  t.is(d.client.counters.of(FAULTS.LOCAL_ADDRESS_GONE), 1);
  t.true(d.said('opened').at(-1)?.resumed);
  t.deepEqual(
    d.said('bound').map(({ changed }) => changed),
    [false],
  );
  t.is(say(d), 0);
  t.is(d.toCore.length, 1);
});

test('[G-13] the local address is there: a connection that answers is kept', (t) => {
  const d = new Direct({ client: { stripes: 2 } });
  d.bind('10.0.0.5:4000');
  d.now += 1;
  for (let i = 0; i < 5; i++) {
    d.client.networkChanged(UNCHANGED, d.now);
    d.run();
    d.wait(PROBE_MS + 1);
  }
  t.is(d.said('connect').length, 2);
  t.not(d.client.status().connections[0]?.rttMs, undefined);
});

test('[G-13] a connection that does not answer after a change is given up after 3 s', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  d.now += 1_000;
  d.client.networkChanged(UNCHANGED, d.now);
  const asked = d.now;
  // The question is never carried; another change does not put off the end.
  d.now = asked + 1_000;
  d.client.networkChanged(UNCHANGED, d.now);
  t.is(d.client.nextTimeout(), asked + PROBE_MS);
  d.now = asked + PROBE_MS;
  d.client.timeout(d.now);
  t.is(d.client.state, 'lost');
  t.is(d.client.counters.of(FAULTS.TRANSACTION_TIMEOUT), 1);
});

test('[G-13] attempts that wait are made at once when the network changes', (t) => {
  const d = new Direct();
  d.isUnreachable = true;
  d.bind('10.0.0.5:4000');
  d.wait(60_000);
  d.isUnreachable = false;
  const before = d.now;
  d.client.networkChanged(UNCHANGED, d.now);
  d.run();
  t.is(d.client.state, 'up');
  t.is(d.now, before);
});

test('[G-13] before anything was opened a change of network means nothing', (t) => {
  const d = new Direct();
  d.client.networkChanged({ ...UNCHANGED, isCutOff: () => true }, d.now);
  d.run();
  t.is(d.client.state, 'idle');
  t.deepEqual(d.clientSaid, []);
});

test('[M-19] media flow and nothing comes back: given up long before 40 s, if asked for', (t) => {
  const silentMs = 8_000;
  const d = new Direct({ client: { liveness: { silentMs } } });
  d.bind('10.0.0.5:4000');
  d.now += 1;
  const octets = udpPacket(UE, CORE);
  d.client.packet(octets, 0, octets.length, d.now);
  // From here on nothing of it arrives.
  const lost = () => {
    for (let o = d.client.poll(); o !== undefined; o = d.client.poll()) d.clientSaid.push(o);
    return d.client.state === 'lost';
  };
  const start = d.now;
  while (!lost()) {
    d.now = d.client.nextTimeout();
    d.client.timeout(d.now);
  }
  t.is(d.now - start, 5_000 + silentMs - 1);
});
