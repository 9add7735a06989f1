/** Bindings that the first packet of a flow makes, and when they end (standards M-03, G-05, G-20; tep-wire 5, 6). */
import test from 'ava';
import { formatEndpoint } from '../../wire/address.ts';
import { FAULTS } from '../../wire/faults.ts';
import { ipPacket } from '../wire/packets.ts';
import { Direct, endpoint, udpPacket } from './direct.ts';
import {
  CORE,
  CORE6,
  give,
  newDirect,
  say,
  segment,
  sourcesAtCore,
  TO,
  tcpHeader,
  UE,
  UE6,
} from './phone-flows.ts';

const IDLE_MS = 60_000;

for (const [name, ue, core] of [
  ['IPv4', UE, CORE],
  ['IPv6', UE6, CORE6],
] as const) {
  test(`[M-03] [M-07] the first packet opens the tunnel, binds its sender and arrives: ${name}`, (t) => {
    const d = newDirect();
    t.is(d.client.state, 'idle');
    t.is(say(d, ue, core), 0);
    const [bound] = d.said('bound');
    t.deepEqual(bound?.ue, ue);
    t.true(bound?.pair);
    t.is(bound?.address.port, ue.port, 'the port of the application is the wish');
    t.deepEqual(sourcesAtCore(d.toCore), [formatEndpoint(bound?.address ?? ue)]);
    say(d, ue, core);
    t.is(d.toCore.length, 2);
    t.is(d.said('bound').length, 1);
    t.is(d.client.counters.dropped, 0);
  });
}

test('[M-03] RTP and RTCP are one pair, whichever speaks first', (t) => {
  for (const first of [16_400, 16_401]) {
    const d = newDirect();
    say(d, { ...UE, port: first });
    say(d, { ...UE, port: first ^ 1 });
    t.is(d.said('bound').length, 1);
    t.is(d.said('bound')[0]?.ue.port, 16_400);
    const ports = d.serverTold('bound').map(({ address }) => address.port);
    t.deepEqual(ports, [16_400, 16_401]);
    const sources = sourcesAtCore(d.toCore).map((text) => Number(text.split(':')[1]));
    t.deepEqual(sources, [first, first ^ 1]);
  }
});

test('[M-03] next to a port that is bound already a flow is bound alone', (t) => {
  const d = newDirect();
  d.bind('10.0.0.5:16401', {});
  say(d, UE);
  t.like(d.said('bound')[1], { ue: UE, pair: false });
  // Port 1 has no even neighbour that could be bound.
  say(d, { ...UE, port: 1 });
  t.like(d.said('bound')[2], { ue: { ...UE, port: 1 }, pair: false });
});

test('[G-20] only packets to the media addresses and ports make bindings', (t) => {
  const d = newDirect();
  for (const to of ['198.51.101.9:30000', '198.51.100.9:29999', '198.51.100.9:40000']) {
    t.is(say(d, UE, endpoint(to)), FAULTS.NO_BINDING);
  }
  t.is(say(d, { ...UE, port: 0 }), FAULTS.NO_BINDING);
  // Such a source is that of a host without address.
  for (const source of ['0.0.0.0:16400', '224.0.0.1:16400', '255.255.255.255:16400']) {
    t.is(say(d, endpoint(source)), FAULTS.NO_BINDING);
  }
  t.is(d.client.state, 'idle');
  t.is(d.client.counters.of(FAULTS.NO_BINDING), 7);
  const udpOnly = newDirect({ client: { firstPacket: { to: TO.map(forUdp) } } });
  t.is(give(udpOnly, segment('02')), FAULTS.NO_BINDING);
  t.is(say(udpOnly, UE), 0);
});

function forUdp<T extends object>(rule: T): T & { protocol: number } {
  return { ...rule, protocol: 17 };
}

test('[G-20] without the option no packet makes a binding', (t) => {
  const d = new Direct();
  t.is(say(d, UE), FAULTS.NO_BINDING);
  t.is(d.client.state, 'idle');
});

test('[M-03] a flow that pauses for 60 s is released, one that goes on is not', (t) => {
  const d = newDirect();
  say(d, UE);
  const other = { ...UE, port: 17_000 };
  say(d, other);
  for (let i = 0; i < 3; i++) {
    d.wait(IDLE_MS / 2);
    // Downlink alone keeps it: the UE may only listen.
    const down = udpPacket(CORE, d.said('bound')[0]?.address ?? UE);
    d.server.packet(down, 0, down.length, d.now);
    d.run();
  }
  t.deepEqual(d.said('released'), [{ type: 'released', ue: other, protocol: 17 }]);
  d.wait(IDLE_MS);
  t.is(d.said('released').length, 2);
  d.wait(10_000);
  t.is(d.client.state, 'closed', 'M-18');
  say(d, UE);
  t.is(d.client.state, 'up');
  t.is(d.toCore.length, 3);
});

test('[G-05] TCP: the SYN binds, data does not; a connection may be silent for hours', (t) => {
  const d = newDirect();
  t.is(give(d, segment('10')), FAULTS.NO_BINDING);
  t.is(give(d, segment('12')), FAULTS.NO_BINDING);
  t.is(give(d, segment('02')), 0);
  d.run();
  t.like(d.said('bound')[0], { ue: { ...UE, port: 2855 }, protocol: 6, pair: false });
  t.is(d.toCore.length, 1);
  d.wait(7_000_000);
  t.is(d.said('released').length, 0);
  t.is(give(d, segment('10')), 0);
  // After its end it is a flow like any other.
  t.is(give(d, segment('11')), 0);
  d.wait(IDLE_MS - 1);
  t.is(d.said('released').length, 0);
  d.wait(1);
  t.is(d.said('released').length, 1);
});

test('[G-05] TCP: a reset by the core is an end too, a new SYN a beginning', (t) => {
  const d = newDirect();
  give(d, segment('02'));
  d.run();
  const { address } = d.said('bound')[0] ?? { address: UE };
  const reset = ipPacket(
    CORE.address,
    address.address,
    6,
    tcpHeader(CORE.port, address.port, '14'),
  );
  d.server.packet(reset, 0, reset.length, d.now);
  d.run();
  t.is(d.toUe.length, 1);
  t.is(give(d, segment('02')), 0);
  d.wait(2 * IDLE_MS);
  t.is(d.said('released').length, 0);
});

test('[M-18] closing forgets what waits, counted', (t) => {
  const d = newDirect();
  give(d, udpPacket(UE, CORE));
  d.client.close(d.now);
  d.run();
  t.is(d.client.counters.dropped, 1);
  t.is(d.toCore.length, 0);
  d.wait(IDLE_MS);
  t.is(d.client.nextTimeout(), Number.POSITIVE_INFINITY);
});

test('[M-03] TEP-S has forgotten the tunnel: the flow gets the same public port again', (t) => {
  const d = newDirect();
  say(d, UE);
  d.wait(6_000);
  d.server.stop(d.now);
  d.run();
  const before = d.said('bound')[0]?.address;
  d.wait(40_000);
  say(d, UE);
  d.wait(5_000);
  say(d, UE);
  const last = sourcesAtCore(d.toCore).at(-1);
  t.is(last?.split(':')[1], String(before?.port));
});
