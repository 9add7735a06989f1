/** Bindings that the first packet of a flow makes (standards M-03, G-20, G-22; tep-wire 5, 6). */
import { Buffer } from 'node:buffer';
import test from 'ava';
import type { ClientOptions } from '../../session/options.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { equal } from '../../wire/bytes.ts';
import { FAULTS } from '../../wire/faults.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { parsePrefix } from '../../wire/prefix.ts';
import { checksumsRight } from '../../wire/rewrite.ts';
import { hex, ipPacket } from '../wire/packets.ts';
import { Direct, type DirectOptions, endpoint, type Packet, pool, udpPacket } from './direct.ts';

const CORE = endpoint('198.51.100.9:30000');
const CORE6 = endpoint('[2001:db8:c::9]:30000');
const UE = endpoint('10.0.0.5:16400');
const UE6 = endpoint('[fd00::5]:16400');
const IDLE_MS = 60_000;
const MAX_OF_FLOW = 64;
const HELD_MS = 1_000;

/** What TEP-C tunnels: the media ports of the core's networks, UDP and TCP. */
const TO = ['198.51.100.0/24', '2001:db8:c::/48'].flatMap((text) => {
  const prefix = parsePrefix(text);
  return prefix ? [{ prefix, ports: { first: 30_000, last: 39_999 } }] : [];
});

function newDirect({ client, ...options }: DirectOptions = {}): Direct {
  const firstPacket: ClientOptions['firstPacket'] = { to: TO };
  return new Direct({ ...options, client: { firstPacket, ...client } });
}

/** From a Buffer that is used again at once: nothing may be kept of it. */
function give(d: Direct, octets: Uint8Array): number {
  const b = Buffer.concat([Buffer.alloc(7, 0xa5), octets, Buffer.alloc(7, 0xa5)]);
  const fault = d.client.packet(b, 7, 7 + octets.length, d.now);
  b.fill(0xa5);
  return fault;
}

function say(d: Direct, from: Endpoint, to = CORE, length = 40): number {
  const fault = give(d, udpPacket(from, to, length));
  d.run();
  return fault;
}

function sourcesAtCore(packets: readonly Packet[]): string[] {
  const view = new PacketView();
  return packets.map(({ octets }) => {
    const fault = readPacket(view, octets, 0, octets.length) || checksumsRight(octets, view);
    if (fault !== 0) throw new RangeError(`fault ${fault}`);
    const address = octets.slice(view.sourceAt, view.sourceAt + view.addressLength);
    return formatEndpoint({ family: view.version, address, port: view.sourcePort });
  });
}

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

test('[M-03] what is sent before the binding is there arrives, in order, from the first on', (t) => {
  const d = newDirect();
  for (let i = 0; i < MAX_OF_FLOW + 3; i++) t.is(give(d, udpPacket(UE, CORE, 40 + i)), 0);
  t.is(d.client.counters.of(FAULTS.HELD_TOO_MANY), 3);
  d.run();
  const lengths = d.toCore.map(({ octets }) => octets.length - 28 - 40);
  t.deepEqual(
    lengths,
    Array.from({ length: MAX_OF_FLOW }, (_, i) => i),
  );
});

test('[M-03] a call that begins with a key frame of video: all of it arrives, and the sound', (t) => {
  const d = newDirect();
  const sound = { ...UE, port: 17_000 };
  give(d, udpPacket(sound, CORE, 172));
  for (let i = 0; i < 50; i++) give(d, udpPacket(UE, CORE, 1_200));
  for (let i = 0; i < 45; i++) give(d, udpPacket(sound, CORE, 172));
  t.is(d.client.counters.dropped, 0);
  d.run();
  t.is(d.toCore.length, 96);
});

test('[M-03] of a flow that says more than may wait, what it said first stays whole', (t) => {
  const d = newDirect();
  for (let i = 0; i < 60; i++) give(d, udpPacket(UE, CORE, 1_200 + i));
  const dropped = d.client.counters.of(FAULTS.HELD_TOO_MANY);
  t.true(dropped > 0);
  d.run();
  const lengths = d.toCore.map(({ octets }) => octets.length - 28 - 1_200);
  t.deepEqual(
    lengths,
    Array.from({ length: 60 - dropped }, (_, i) => i),
  );
});

test('[M-03] what has waited for a second is worth nothing any more', (t) => {
  const d = newDirect();
  give(d, udpPacket(UE, CORE, 40));
  d.now += 400;
  give(d, udpPacket(UE, CORE, 41));
  // The tunnel opens, but its answers take their time.
  d.now += HELD_MS - 400;
  t.true(d.client.nextTimeout() <= d.now);
  d.client.timeout(d.now);
  t.is(d.client.counters.of(FAULTS.HELD_TOO_LONG), 1);
  d.run();
  t.deepEqual(
    d.toCore.map(({ octets }) => octets.length),
    [28 + 41],
  );
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

test('[G-22] a refusal is asked about again at growing intervals, not by every packet', (t) => {
  const quota = { bindingsPerTunnel: 2 };
  const d = newDirect({ server: { quota } });
  say(d, UE);
  const other = { ...UE, port: 17_000 };
  const asked: number[] = [];
  const start = d.now;
  while (d.now < start + 30_000) {
    const before = d.said('bind-failed').length;
    const fault = say(d, other);
    say(d, UE);
    if (d.said('bind-failed').length > before) asked.push(d.now - start);
    else t.is(fault, FAULTS.BINDING_REFUSED);
    d.wait(20);
  }
  t.is(d.said('bind-failed')[0]?.code, 486);
  t.true(asked.length >= 4 && asked.length <= 6, `${asked}`);
  const gaps = asked.slice(1).map((at, i) => at - (asked[i] ?? 0));
  gaps.forEach((gap, i) => {
    t.true(gap >= 500 * 2 ** i && gap <= 1000 * 2 ** i + 20, `${gaps}`);
  });
  // The other one still flows, and what it gives back is granted at once.
  d.client.release(UE, 17, d.now);
  t.is(say(d, other), 0);
  t.is(d.said('bound').length, 2);
});

test('[G-22] a family that TEP-S has not got is refused without harm to the other one', (t) => {
  const d = newDirect({ server: { addresses: pool('203.0.113.0/24') } });
  t.is(give(d, udpPacket(UE6, CORE6)), 0);
  d.run();
  t.is(d.said('bind-failed')[0]?.code, 440);
  t.is(d.client.counters.of(FAULTS.BINDING_REFUSED), 1, 'the packet that waited');
  t.is(say(d, UE6, CORE6), FAULTS.BINDING_REFUSED);
  t.is(say(d, UE), 0);
  t.is(d.toCore.length, 1);
});

test('[G-22] a flood of source ports takes no more memory than the limits say', (t) => {
  const d = newDirect({
    client: { maxBindings: 10 },
    server: { quota: { bindingsPerTunnel: 64 } },
  });
  for (let port = 2; port < 60_000; port += 2) {
    give(d, udpPacket({ ...UE, port }, CORE, 1000));
  }
  const { counters } = d.client;
  t.is(d.said('bind-failed').length, 0, 'not polled yet');
  d.run();
  t.is(d.said('bound').length, 10);
  t.is(d.said('bind-failed').length, 1);
  t.is(d.toCore.length, 10);
  t.is(counters.of(FAULTS.BINDING_REFUSED), 29_999 - 10);
});

test('[G-22] all flows together hold 256 packets', (t) => {
  const d = newDirect({ server: { quota: { bindingsPerTunnel: 128 } } });
  for (let i = 0; i < 16; i++) {
    for (let port = 16_400; port < 16_440; port += 2) {
      give(d, udpPacket({ ...UE, port }, CORE, 500));
    }
  }
  t.is(d.client.counters.of(FAULTS.HELD_TOO_MANY), 16 * 20 - 256);
  d.run();
  t.is(d.toCore.length, 256);
});

test('[G-22] the longest packets: one of a flow is held, four of all', (t) => {
  const d = newDirect();
  for (let i = 0; i < 3; i++) give(d, udpPacket(UE, CORE, 65_000));
  t.is(d.client.counters.of(FAULTS.HELD_TOO_MANY), 2);
  for (let port = 17_000; port < 17_008; port += 2) {
    give(d, udpPacket({ ...UE, port }, CORE, 65_000));
  }
  t.is(d.client.counters.of(FAULTS.HELD_TOO_MANY), 3);
  d.run();
  t.is(d.toCore.filter(({ octets }) => octets.length > 65_000).length, 4);
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

const MOVED = endpoint('10.0.0.77:16400');

/** The host has lost the first address, and got the second. */
function readdress(d: Direct, from: Endpoint, to: Endpoint): void {
  const is = (one: Endpoint) => (address: Uint8Array) =>
    address.length === one.address.length && equal(address, 0, one.address, 0, address.length);
  const change = { isCutOff: () => false, isGone: is(from), isNew: is(to) };
  d.client.networkChanged(change, d.now);
  d.run();
}

test('[G-13] another address of the host: the application keeps its public addresses', (t) => {
  const d = newDirect();
  say(d, UE);
  say(d, { ...UE, port: UE.port + 1 });
  readdress(d, UE, MOVED);
  // RTCP comes first from there.
  t.is(say(d, { ...MOVED, port: MOVED.port + 1 }), 0);
  t.is(say(d, MOVED), 0);
  const sources = sourcesAtCore(d.toCore);
  t.is(sources[2], sources[1]);
  t.is(sources[3], sources[0]);
  t.is(d.serverTold('bound').length, 2);
  t.like(d.said('bound')[1], { ue: MOVED, changed: false, pair: true });
  // And it is reached there.
  const down = udpPacket(CORE, d.said('bound')[0]?.address ?? UE);
  d.server.packet(down, 0, down.length, d.now);
  d.run();
  t.deepEqual(d.toUe.at(-1)?.octets, udpPacket(CORE, MOVED));
});

test('[G-13] the application goes on before the host tells that its address changed', (t) => {
  const d = newDirect();
  say(d, UE);
  say(d, MOVED);
  t.is(d.said('bound').length, 2);
  readdress(d, UE, MOVED);
  t.deepEqual(d.said('released'), [{ type: 'released', ue: MOVED, protocol: 17 }]);
  t.is(say(d, MOVED), 0);
  const sources = sourcesAtCore(d.toCore);
  t.is(sources[2], sources[0]);
  t.not(sources[1], sources[0]);
  t.is(d.server.tunnels()[0]?.bindings, 2, 'a pair');
  // While it is still being asked for, too.
  const asking = newDirect();
  say(asking, UE);
  give(asking, udpPacket(MOVED, CORE));
  readdress(asking, UE, MOVED);
  t.is(say(asking, MOVED), 0);
  t.is(new Set(sourcesAtCore(asking.toCore)).size, 1);
  t.is(asking.server.tunnels()[0]?.bindings, 2);
});

test('[G-13] [G-22] who is still there keeps what is his', (t) => {
  const d = newDirect();
  say(d, UE);
  // Nothing is gone: a second host, or a second address.
  say(d, MOVED);
  t.is(d.said('bound').length, 2);
  t.not(d.said('bound')[1]?.address.port, d.said('bound')[0]?.address.port);
  // Gone and back again, as when a link was down for a moment.
  const nobody = endpoint('10.0.0.99:1');
  readdress(d, UE, nobody);
  readdress(d, nobody, UE);
  const third = endpoint('10.0.0.78:16400');
  say(d, third);
  const [first] = d.said('bound');
  say(d, UE);
  t.is(sourcesAtCore(d.toCore).at(-1), formatEndpoint(first?.address ?? UE));
});

test('[G-13] neither TCP nor another port nor the other family nor what was asked for moves', (t) => {
  const d = newDirect();
  d.bind('10.0.0.5:18000');
  say(d, UE);
  give(d, segment('02'));
  d.run();
  readdress(d, UE, MOVED);
  say(d, { ...MOVED, port: 18_000 });
  say(d, { ...MOVED, port: 17_000 });
  say(d, UE6, CORE6);
  t.is(d.said('bound').length, 6);
  t.is(d.serverTold('released').length, 0);
});

/** From the UE's MSRP port, with these flags. */
function segment(flags: string): Uint8Array {
  return ipPacket(UE.address, CORE.address, 6, tcpHeader(2855, CORE.port, flags));
}

/** Without a checksum: it is changed by the difference and not looked at. */
function tcpHeader(source: number, destination: number, flags: string): Uint8Array {
  const ports = [source >> 8, source & 0xff, destination >> 8, destination & 0xff];
  return Uint8Array.from([...ports, ...hex(`01020304 05060708 50${flags} faf0 0000 0000`)]);
}
