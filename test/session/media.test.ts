/**
 * Packets through both ends (tep-wire 6; standards M-11 to M-17, G-22, C-22). What must come out is
 * built by the independent builder of test/wire/packets.ts, checksums and all.
 */
import test, { type ExecutionContext } from 'ava';
import { type Endpoint, formatAddress } from '../../wire/address.ts';
import { FAULTS, type Fault } from '../../wire/faults.ts';
import { find } from '../../wire/stun/message.ts';
import { icmpError, ipPacket, tcpSegment, udpDatagram } from '../wire/packets.ts';
import { Direct, endpoint } from './direct.ts';
import { RawServer } from './raw.ts';

const UDP = 17;
const TCP = 6;

interface World {
  readonly name: string;
  readonly ue: string;
  readonly core: string;
  /** An address of the core side that is no media address. */
  readonly other: string;
}

const FOUR: World = {
  name: 'IPv4',
  ue: '10.0.0.5:4000',
  core: '198.51.100.9:5000',
  other: '192.0.2.200:5000',
};
const SIX: World = {
  name: 'IPv6',
  ue: '[fd00::5]:4000',
  core: '[2001:db8:c::9]:5000',
  other: '[2001:db8:ffff::1]:5000',
};

/** DSCP EF, TTL 61: neither may change. */
function packet(protocol: number, from: Endpoint, to: Endpoint, length = 160): Uint8Array {
  const flow = {
    source: from.address,
    destination: to.address,
    sourcePort: from.port,
    destinationPort: to.port,
  };
  const payload = Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);
  const inner = protocol === UDP ? udpDatagram(flow, payload) : tcpSegment(flow, payload);
  return ipPacket(from.address, to.address, protocol, inner);
}

/** Sends up; what came out at the core. */
function up(d: Direct, octets: Uint8Array): Uint8Array | undefined {
  const before = d.toCore.length;
  const b = octets.slice();
  d.client.packet(b, 0, b.length, d.now);
  d.run();
  return d.toCore[before]?.octets;
}

function down(d: Direct, octets: Uint8Array): Uint8Array | undefined {
  const before = d.toUe.length;
  const b = octets.slice();
  d.server.packet(b, 0, b.length, d.now);
  d.run();
  return d.toUe[before]?.octets;
}

function bound(
  t: ExecutionContext,
  world: World,
  protocol: 17 | 6 = UDP,
): { d: Direct; ue: Endpoint; core: Endpoint; pub: Endpoint; other: Endpoint } {
  const d = new Direct();
  d.bind(world.ue, { protocol });
  const pub = d.publicOf(world.ue, protocol);
  t.truthy(pub);
  const { ue, core, other } = world;
  return {
    d,
    ue: endpoint(ue),
    core: endpoint(core),
    other: endpoint(other),
    pub: pub ?? endpoint(ue),
  };
}

/** Puts a record on the wire as a client without scruples would. */
function forge(d: Direct, octets: Uint8Array): void {
  d.server.input(1, octets.slice(), 0, octets.length, d.now);
  d.run();
}

for (const world of [FOUR, SIX]) {
  for (const protocol of [UDP, TCP] as const) {
    const what = `${world.name} ${protocol === UDP ? 'UDP' : 'TCP'}`;

    test(`[M-11] [M-12] uplink source becomes the public address: ${what}`, (t) => {
      const { d, ue, core, pub } = bound(t, world, protocol);
      t.deepEqual(up(d, packet(protocol, ue, core)), packet(protocol, pub, core));
    });

    test(`[M-13] [M-14] downlink destination becomes the address of the UE: ${what}`, (t) => {
      const { d, ue, core, pub } = bound(t, world, protocol);
      t.deepEqual(down(d, packet(protocol, core, pub)), packet(protocol, core, ue));
    });
  }

  test(`[M-12] ICMP error of the core about an uplink packet: ${world.name}`, (t) => {
    const { d, ue, core, pub } = bound(t, world);
    const error = icmpError(core.address, pub.address, packet(UDP, pub, core));
    const expected = icmpError(core.address, ue.address, packet(UDP, ue, core));
    t.deepEqual(down(d, error), expected);
  });

  test(`[M-14] ICMP error of the UE about a downlink packet: ${world.name}`, (t) => {
    const { d, ue, core, pub } = bound(t, world);
    const error = icmpError(ue.address, core.address, packet(UDP, core, ue));
    const expected = icmpError(pub.address, core.address, packet(UDP, core, pub));
    t.deepEqual(up(d, error), expected);
  });

  test(`[G-22] an ICMP error about somebody else's packet goes nowhere: ${world.name}`, (t) => {
    const { d, ue, core, pub, other } = bound(t, world);
    // Sent to another place than where the packet inside came from.
    const astray = icmpError(ue.address, other.address, packet(UDP, core, ue));
    t.is(up(d, astray), undefined);
    t.is(d.server.counters.of(FAULTS.DESTINATION_FORBIDDEN), 1);
    const foreign = icmpError(pub.address, core.address, packet(UDP, core, other));
    forge(d, foreign);
    t.is(d.server.counters.of(FAULTS.FOREIGN_SOURCE), 1);
    const about = icmpError(core.address, other.address, packet(UDP, pub, core));
    t.is(down(d, about), undefined);
    const forbidden = icmpError(core.address, pub.address, packet(UDP, pub, other));
    t.is(down(d, forbidden), undefined);
    t.is(d.server.counters.of(FAULTS.SOURCE_FORBIDDEN), 1);
  });

  test(`[C-22] [G-22] a record from a source that is not bound to its tunnel: ${world.name}`, (t) => {
    const { d, ue, core, pub, other } = bound(t, world);
    const stolen = [ue, other, { ...pub, port: pub.port + 2 }, { ...pub, port: 0 }];
    for (const source of stolen) forge(d, packet(UDP, source, core));
    // The right address with the wrong protocol is not bound either.
    forge(d, packet(TCP, pub, core));
    t.is(d.server.counters.of(FAULTS.FOREIGN_SOURCE), 5);
    t.is(d.server.tunnels()[0]?.counters.of(FAULTS.FOREIGN_SOURCE), 5);
    t.is(d.toCore.length, 0);
    t.is(d.client.state, 'up');
  });

  test(`[G-22] only allowed media addresses are reached, and reach the UE: ${world.name}`, (t) => {
    const { d, ue, core, pub, other } = bound(t, world);
    t.is(up(d, packet(UDP, ue, other)), undefined);
    t.is(up(d, packet(UDP, ue, { ...core, port: 80 })), undefined);
    t.is(d.server.counters.of(FAULTS.DESTINATION_FORBIDDEN), 2);
    t.is(down(d, packet(UDP, other, pub)), undefined);
    t.is(d.server.counters.of(FAULTS.SOURCE_FORBIDDEN), 1);
    t.is(d.client.state, 'up');
  });

  test(`[M-17] no private address is ever seen at the core: ${world.name}`, (t) => {
    const { d, ue, core } = bound(t, world);
    up(d, packet(UDP, ue, core));
    up(d, icmpError(ue.address, core.address, packet(UDP, core, ue)));
    const secret = formatAddress(ue.address, 0, ue.address.length);
    t.is(d.toCore.length, 2);
    for (const { octets } of d.toCore) t.false(contains(octets, ue.address), secret);
    for (const said of d.serverSaid) t.false(JSON.stringify(said).includes(secret));
  });
}

test('[C-22] [M-15] one tunnel cannot send from what another one has bound', (t) => {
  const raw = new RawServer();
  const wish = { type: 'TEP-BINDING', value: { port: 0, flags: 0, protocol: UDP } } as const;
  const [alice, eve] = [raw.connection(1), raw.connection(2)];
  const [hers, eves] = [alice, eve].map((c) => {
    c.open();
    const granted = c.ask([wish]);
    return (granted && find(granted, 'XOR-MAPPED-ADDRESS')) ?? endpoint(FOUR.other);
  });
  const core = endpoint(FOUR.core);
  eve.send(packet(UDP, hers ?? core, core));
  eve.send(icmpError((hers ?? core).address, core.address, packet(UDP, core, hers ?? core)));
  t.is(raw.toCore.length, 0);
  t.is(raw.server.counters.of(FAULTS.FOREIGN_SOURCE), 2);
  eve.send(packet(UDP, eves ?? core, core));
  alice.send(packet(UDP, hers ?? core, core));
  t.is(raw.toCore.length, 2);
  // What comes for one goes to that one only.
  const down = packet(UDP, core, hers ?? core);
  t.is(raw.server.packet(down, 0, down.length, raw.now), 0);
  t.is(raw.server.writable(), 1);
  t.is(raw.server.writable(), -1);
});

test('[G-22] disguised destinations are judged by what they reach', (t) => {
  const { d, ue } = bound(t, SIX);
  for (const text of [
    '[::ffff:127.0.0.1]:5000',
    '[2002:7f00:1::1]:5000',
    '[64:ff9b::10.0.0.1]:5000',
  ]) {
    t.is(up(d, packet(UDP, ue, endpoint(text))), undefined, text);
  }
  t.is(d.server.counters.of(FAULTS.DESTINATION_DISGUISED), 3);
  for (const text of ['[::1]:5000', '[fe80::1]:5000', '[ff02::1]:5000']) {
    t.is(up(d, packet(UDP, ue, endpoint(text))), undefined, text);
  }
  t.is(d.server.counters.of(FAULTS.DESTINATION_FORBIDDEN), 3);
});

test('[M-15] [M-20] two calls with RTCP at once, told apart by their addresses', (t) => {
  const d = new Direct();
  const calls = ['10.0.0.5:4000', '10.0.0.5:4100', '[fd00::5]:4000'];
  for (const ue of calls) d.bind(ue, { pair: true });
  for (const [i, ue] of calls.entries()) {
    const core = endpoint(ue.startsWith('[') ? SIX.core : FOUR.core);
    const pub = d.publicOf(ue) ?? core;
    t.is(pub.port % 2, 0);
    for (const odd of [0, 1]) {
      const local = { ...endpoint(ue), port: endpoint(ue).port + odd };
      const outside = { ...pub, port: pub.port + odd };
      const length = 20 + i;
      t.deepEqual(up(d, packet(UDP, local, core, length)), packet(UDP, outside, core, length));
      t.deepEqual(down(d, packet(UDP, core, outside, length)), packet(UDP, core, local, length));
    }
  }
  t.is(d.up.size, 1);
});

test('[W-6] any size from an empty datagram to 65,535 octets, in one record', (t) => {
  const { d, ue, core, pub } = bound(t, FOUR);
  for (const length of [0, 1, 7, 8, 9, 511, 512, 513, 1472, 65_507]) {
    t.deepEqual(up(d, packet(UDP, ue, core, length)), packet(UDP, pub, core, length));
    t.deepEqual(down(d, packet(UDP, core, pub, length)), packet(UDP, core, ue, length));
  }
  t.is(d.client.counters.sentOctets, d.server.counters.receivedOctets);
  t.is(d.server.counters.sentOctets, d.client.counters.receivedOctets);
});

test('[W-6] checksums that the host left to its hardware are finished at either end', (t) => {
  const { d, ue, core, pub } = bound(t, FOUR);
  const unfinished = (octets: Uint8Array): Uint8Array => {
    const copy = octets.slice();
    // The folded sum of the pseudo header, not complemented; and no header checksum.
    const words = [
      ...copy.subarray(12, 20),
      0,
      UDP,
      (copy.length - 20) >> 8,
      (copy.length - 20) & 0xff,
    ];
    let sum = 0;
    for (let i = 0; i < words.length; i += 2) sum += ((words[i] ?? 0) << 8) | (words[i + 1] ?? 0);
    sum = (sum & 0xffff) + (sum >>> 16);
    copy.set([0, 0], 10);
    copy.set([sum >> 8, sum & 0xff], 26);
    return copy;
  };
  t.deepEqual(up(d, unfinished(packet(UDP, ue, core))), packet(UDP, pub, core));
  t.deepEqual(down(d, unfinished(packet(UDP, core, pub))), packet(UDP, core, ue));
});

test('[W-6] a packet whose header checksum is wrong never becomes a record', (t) => {
  const { d, ue, core, pub } = bound(t, FOUR);
  const bad = (octets: Uint8Array): Uint8Array => {
    octets[10] = (octets[10] ?? 0) ^ 0x40;
    return octets;
  };
  t.is(d.client.packet(bad(packet(UDP, ue, core)), 0, 188, d.now), FAULTS.IP_CHECKSUM);
  t.is(d.server.packet(bad(packet(UDP, core, pub)), 0, 188, d.now), FAULTS.IP_CHECKSUM);
  d.run();
  t.is(d.client.state, 'up');
});

test('[W-6] what follows a packet in its buffer (padding of a link) is not sent', (t) => {
  const { d, ue, core, pub } = bound(t, FOUR);
  const padded = new Uint8Array(300).fill(0xa5);
  padded.set(packet(UDP, ue, core, 10), 50);
  t.is(d.client.packet(padded, 50, 110, d.now), 0);
  d.run();
  t.deepEqual(d.toCore[0]?.octets, packet(UDP, pub, core, 10));
  t.true(padded.subarray(0, 50).every((octet) => octet === 0xa5));
  t.true(padded.subarray(88).every((octet) => octet === 0xa5));
});

test('[W-6] a packet of an address that is not bound is dropped and counted at either end', (t) => {
  const { d, ue, core, pub } = bound(t, FOUR);
  const strangers: [Uint8Array, 'client' | 'server'][] = [
    [packet(UDP, { ...ue, port: 4002 }, core), 'client'],
    [packet(TCP, ue, core), 'client'],
    [packet(UDP, core, { ...pub, port: pub.port ^ 2 }), 'server'],
    [packet(TCP, core, pub), 'server'],
  ];
  for (const [octets, end] of strangers) {
    t.is(d[end].packet(octets, 0, octets.length, d.now), FAULTS.NO_BINDING);
  }
  t.is(d.client.counters.dropped, 2);
  t.is(d.server.counters.dropped, 2);
});

test('[W-6] fragments, unknown protocols and nonsense are dropped and counted, nothing closes', (t) => {
  const { d, ue, core } = bound(t, FOUR);
  const fragment = packet(UDP, ue, core);
  fragment.set([0x20, 0], 6);
  const gre = ipPacket(ue.address, core.address, 47, new Uint8Array(20));
  const cases: [Uint8Array, Fault][] = [
    [fragment, FAULTS.IP_FRAGMENT],
    [gre, FAULTS.IP_PROTOCOL],
    [new Uint8Array(0), FAULTS.IP_SHORT],
    [new Uint8Array(20).fill(0x20), FAULTS.IP_VERSION],
  ];
  for (const [octets, fault] of cases) {
    t.is(d.client.packet(octets, 0, octets.length, d.now), fault);
    t.is(d.server.packet(octets, 0, octets.length, d.now), fault);
    t.is(d.client.counters.of(fault), 1);
  }
  t.is(d.client.state, 'up');
});

test('[M-15] records that TEP-S sends to a released binding do not reach the application', (t) => {
  const { d, core, pub, ue } = bound(t, FOUR);
  const late = packet(UDP, core, pub);
  d.client.release(ue, UDP, d.now);
  d.client.input(1, late, 0, late.length, d.now);
  t.is(d.toUe.length, 0);
  t.is(d.client.counters.of(FAULTS.NO_BINDING), 1);
});

test('[W-6] the sink is told which binding a packet belongs to', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000', { pair: true });
  const told = d.serverTold('bound');
  t.is(told.length, 2);
  for (const each of told) {
    const odd = each.address.port % 2;
    const ue = { ...endpoint('10.0.0.5:4000'), port: 4000 + odd };
    up(d, packet(UDP, ue, endpoint(FOUR.core)));
    t.is(d.toCore.at(-1)?.binding, each.binding);
  }
});

function contains(octets: Uint8Array, wanted: Uint8Array): boolean {
  for (let at = 0; at + wanted.length <= octets.length; at++) {
    if (wanted.every((octet, i) => octets[at + i] === octet)) return true;
  }
  return false;
}

test('[W-2] an IPv6 packet longer than a record is dropped and counted, and the tunnel stays', (t) => {
  const d = new Direct();
  d.bind(SIX.ue);
  const ue = endpoint(SIX.ue);
  const core = endpoint(SIX.core);
  const outside = d.publicOf(SIX.ue);
  if (outside === undefined) throw new Error('not bound');
  // 40 octets of IP header and 8 of UDP: 65,535 in all, then one more.
  for (const length of [65_487, 65_488]) {
    const fits = length === 65_487;
    t.is(up(d, packet(UDP, ue, core, length)) !== undefined, fits, `up ${length}`);
    t.is(down(d, packet(UDP, core, outside, length)) !== undefined, fits, `down ${length}`);
  }
  t.is(d.client.counters.of(FAULTS.IP_TOO_LONG), 1);
  t.is(d.server.counters.of(FAULTS.IP_TOO_LONG), 1);
  t.deepEqual(d.said('close'), []);
  t.deepEqual(d.serverTold('close'), []);
  t.not(up(d, packet(UDP, ue, core)), undefined);
});
