import test from 'ava';
import fc from 'fast-check';
import { FAULTS } from '../../wire/faults.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import {
  checksumsRight,
  finishChecksums,
  rewriteDestination,
  rewriteIcmpDestination,
  rewriteIcmpSource,
  rewriteSource,
} from '../../wire/rewrite.ts';
import {
  bordersIntact,
  type Flow,
  hex,
  icmpError,
  ipPacket,
  oracleChecksum,
  poisoned,
  tcpSegment,
  udpDatagram,
  vector,
} from './packets.ts';

const SEED = { seed: 20_261_121 };

const UE = hex('c0a80107');
const PUBLIC = hex('cb007119');
const AGW = hex('c6336464');
const UE6 = hex('fd00 0000 0000 0000 0000 0000 0000 0007');
const PUBLIC6 = hex('2001 0db8 0000 00ff 0000 0000 0000 0019');
const AGW6 = hex('2001 0db8 0064 0000 0000 0000 0000 0064');

/** 192.168.1.7:16384 to 198.51.100.100:40000; octets and checksums worked out apart from our code. */
const UPLINK = hex(`
  45b8 0020 1234 4000 4011 3b9a c0a8 0107 c633 6464
  4000 9c40 000c b74c 8000 0001`);

interface Case {
  readonly ue: Uint8Array;
  readonly open: Uint8Array;
  readonly core: Uint8Array;
}
const FAMILIES: readonly Case[] = [
  { ue: UE, open: PUBLIC, core: AGW },
  { ue: UE6, open: PUBLIC6, core: AGW6 },
];

const octets = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
const port = fc.integer({ min: 0, max: 0xffff });
const payloads = fc.uint8Array({ maxLength: 300 });
const addresses = fc.constantFrom(4, 16).chain((n) => fc.tuple(octets(n), octets(n), octets(n)));

function transportOf(kind: string, flow: Flow, payload: Uint8Array): Uint8Array {
  if (kind === 'tcp') return tcpSegment(flow, payload);
  return udpDatagram(flow, payload, kind === 'udp without checksum');
}

function packetOf(kind: string, flow: Flow, payload: Uint8Array): Uint8Array {
  const protocol = kind === 'tcp' ? 6 : 17;
  return ipPacket(flow.source, flow.destination, protocol, transportOf(kind, flow, payload));
}

/** The IPv4 packet with four octets of options, which are nothing. */
function withOptions(plain: Uint8Array): Uint8Array {
  const head = Uint8Array.from(plain.subarray(0, 20));
  head.set([0x46, 0xb8, 0, plain.length + 4]);
  head.fill(0, 10, 12);
  const options = [1, 1, 1, 0];
  const sum = oracleChecksum(head, options);
  head.set([sum >> 8, sum & 0xff], 10);
  return Uint8Array.from([...head, ...options, ...plain.subarray(20)]);
}

test('[M-11] uplink source becomes the public address, octet for octet', (t) => {
  const { b, at, end } = poisoned(UPLINK);
  const view = new PacketView();
  t.is(readPacket(view, b, at, end), 0);
  t.is(checksumsRight(b, view), 0);
  rewriteSource(b, view, PUBLIC, 0, 50_000);
  t.deepEqual(
    b.slice(at, end),
    hex(`45b8 0020 1234 4000 4011 c12f cb00 7119 c633 6464
         c350 9c40 000c b991 8000 0001`),
  );
  t.is(view.sourcePort, 50_000);
  t.true(bordersIntact(b, at, end));
});

for (const kind of ['udp', 'udp without checksum', 'tcp']) {
  test(`[M-11] [RFC1624] ${kind}: rewritten source equals a packet built anew`, (t) => {
    const property = fc.property(addresses, port, port, port, payloads, (a, p, q, r, payload) => {
      const [source, destination, replacement] = a;
      if (source.length === 16 && kind === 'udp without checksum') return true;
      const before = { source, destination, sourcePort: p, destinationPort: q };
      const after = { source: replacement, destination, sourcePort: r, destinationPort: q };
      const { b, at, end } = poisoned(packetOf(kind, before, payload));
      const view = new PacketView();
      const read = readPacket(view, b, at, end);
      rewriteSource(b, view, replacement, 0, r);
      const same = Buffer.from(b.subarray(at, end)).equals(packetOf(kind, after, payload));
      return read === 0 && same && bordersIntact(b, at, end);
    });
    t.notThrows(() => fc.assert(property, SEED));
  });

  test(`[M-14] [RFC1624] ${kind}: rewritten destination equals a packet built anew`, (t) => {
    const property = fc.property(addresses, port, port, port, payloads, (a, p, q, r, payload) => {
      const [source, destination, replacement] = a;
      if (source.length === 16 && kind === 'udp without checksum') return true;
      const before = { source, destination, sourcePort: p, destinationPort: q };
      const after = { source, destination: replacement, sourcePort: p, destinationPort: r };
      const { b, at, end } = poisoned(packetOf(kind, before, payload));
      const view = new PacketView();
      const read = readPacket(view, b, at, end);
      rewriteDestination(b, view, replacement, 0, r);
      const same = Buffer.from(b.subarray(at, end)).equals(packetOf(kind, after, payload));
      return read === 0 && same && bordersIntact(b, at, end);
    });
    t.notThrows(() => fc.assert(property, SEED));
  });
}

/** What a sender had sent and what an error brings of it, cut after `cut` octets of transport. */
function cutPacket(kind: string, flow: Flow, payload: Uint8Array, cut: number): Uint8Array {
  const header = flow.source.length === 16 ? 40 : 20;
  return packetOf(kind, flow, payload).subarray(0, header + cut);
}

/** Checksum fields of two packets agree in every octet; the rest must too. */
function sameOctets(b: Uint8Array, at: number, end: number, wanted: Uint8Array): boolean {
  return Buffer.from(b.subarray(at, end)).equals(wanted);
}

for (const kind of ['udp', 'udp without checksum', 'tcp']) {
  for (const { ue, open, core } of FAMILIES) {
    const name = `${kind} over IPv${ue.length === 4 ? 4 : 6}`;
    const six = ue.length === 16;
    if (six && kind === 'udp without checksum') continue;
    // A cut after 17 octets leaves half a TCP checksum: it has a test of its own.
    const cuts = fc.integer({ min: 8, max: 60 }).map((n) => (n === 17 ? 18 : n));

    test(`[M-11] ICMP error from the UE about ${name}: outer source and inner destination`, (t) => {
      const property = fc.property(port, port, port, payloads, cuts, (p, q, r, payload, cut) => {
        const seen = { source: core, destination: ue, sourcePort: p, destinationPort: q };
        const sent = { source: core, destination: open, sourcePort: p, destinationPort: r };
        const wanted = icmpError(open, core, cutPacket(kind, sent, payload, cut));
        const error = poisoned(icmpError(ue, core, cutPacket(kind, seen, payload, cut)));
        const { b, at, end } = error;
        const view = new PacketView();
        const read = readPacket(view, b, at, end);
        const found = view.embeddedSourcePort === p && view.embeddedDestinationPort === q;
        rewriteIcmpSource(b, view, open, 0, r);
        const same = sameOctets(b, at, end, wanted) && bordersIntact(b, at, end);
        return read === 0 && view.isIcmpError && found && same && checksumsRight(b, view) === 0;
      });
      t.notThrows(() => fc.assert(property, SEED));
    });

    test(`[M-14] ICMP error from the core about ${name}: outer destination and inner source`, (t) => {
      const property = fc.property(port, port, port, payloads, cuts, (p, q, r, payload, cut) => {
        const seen = { source: open, destination: core, sourcePort: p, destinationPort: q };
        const sent = { source: ue, destination: core, sourcePort: r, destinationPort: q };
        const wanted = icmpError(core, ue, cutPacket(kind, sent, payload, cut));
        const error = poisoned(icmpError(core, open, cutPacket(kind, seen, payload, cut)));
        const { b, at, end } = error;
        const view = new PacketView();
        const read = readPacket(view, b, at, end);
        rewriteIcmpDestination(b, view, ue, 0, r);
        const same = sameOctets(b, at, end, wanted) && bordersIntact(b, at, end);
        return read === 0 && same && checksumsRight(b, view) === 0;
      });
      t.notThrows(() => fc.assert(property, SEED));
    });
  }
}

test('half a TCP checksum at the cut of an ICMP error stays, the outer checksum is right', (t) => {
  const flow = { source: AGW, destination: UE, sourcePort: 1, destinationPort: 2 };
  const error = icmpError(UE, AGW, cutPacket('tcp', flow, hex('01'), 17));
  const { b, at, end } = poisoned(error);
  const view = new PacketView();
  t.is(readPacket(view, b, at, end), 0);
  rewriteIcmpSource(b, view, PUBLIC, 0, 3);
  t.is(b[end - 1], error.at(-1));
  t.is(checksumsRight(b, view), 0);
  t.true(bordersIntact(b, at, end));
});

test('[M-16] [W-6] checksums that the own host left to its hardware are computed in full', (t) => {
  const property = fc.property(
    addresses,
    port,
    port,
    payloads,
    fc.constantFrom('udp', 'tcp'),
    (a, p, q, payload, kind) => {
      const [source, destination] = a;
      const flow = { source, destination, sourcePort: p, destinationPort: q };
      const wanted = packetOf(kind, flow, payload);
      const { b, at, end } = poisoned(wanted);
      const four = source.length === 4;
      if (four) b.fill(0, at + 10, at + 12);
      const transport = at + (four ? 20 : 40);
      const length = end - transport;
      const pseudo = [...source, ...destination, 0, kind === 'tcp' ? 6 : 17, length >> 8, length];
      const folded = 0xffff - oracleChecksum(pseudo.map((v) => v & 0xff));
      const field = transport + (kind === 'tcp' ? 16 : 6);
      b.set([folded >> 8, folded & 0xff], field);
      const view = new PacketView();
      const read = readPacket(view, b, at, end);
      finishChecksums(b, view);
      return read === 0 && sameOctets(b, at, end, wanted) && bordersIntact(b, at, end);
    },
  );
  t.notThrows(() => fc.assert(property, SEED));
});

test('[W-6] finished checksums, absent ones and wrong ones are left as they are', (t) => {
  const flow = { source: UE, destination: AGW, sourcePort: 1, destinationPort: 2 };
  const right = packetOf('udp', flow, hex('010203'));
  const absent = packetOf('udp without checksum', flow, hex('010203'));
  const wrong = Uint8Array.from(right);
  wrong.set([0x12, 0x34], 26);
  for (const octets of [right, absent, wrong]) {
    const { b, at, end } = poisoned(octets);
    const view = new PacketView();
    t.is(readPacket(view, b, at, end), 0);
    t.true(finishChecksums(b, view));
    t.deepEqual(b.slice(at, end), octets);
  }
});

test('[W-6] of a header whose checksum is wrong it is told, with options and without', (t) => {
  const flow = { source: UE, destination: AGW, sourcePort: 1, destinationPort: 2 };
  const plain = packetOf('udp', flow, hex('010203'));
  for (const octets of [plain, withOptions(plain)]) {
    const { b, at, end } = poisoned(octets);
    const view = new PacketView();
    t.is(readPacket(view, b, at, end), 0);
    t.true(finishChecksums(b, view));
    b.set([(b[at + 8] ?? 0) ^ 1], at + 8);
    const damaged = b.slice(at, end);
    t.false(finishChecksums(b, view));
    t.deepEqual(b.slice(at, end), damaged);
    b.fill(0, at + 10, at + 12);
    t.true(finishChecksums(b, view));
    t.is(checksumsRight(b, view), 0);
  }
  const six = poisoned(packetOf('udp', { ...flow, source: UE6, destination: AGW6 }, hex('01')));
  const view = new PacketView();
  t.is(readPacket(view, six.b, six.at, six.end), 0);
  t.true(finishChecksums(six.b, view));
});

test('[RFC768] an absent UDP checksum is right over IPv4', (t) => {
  const flow = { source: UE, destination: AGW, sourcePort: 1, destinationPort: 2 };
  const { b, at, end } = poisoned(packetOf('udp without checksum', flow, hex('010203')));
  const view = new PacketView();
  readPacket(view, b, at, end);
  t.is(checksumsRight(b, view), 0);
});

test('a damaged packet stays damaged through a rewrite', (t) => {
  const flow = { source: UE, destination: AGW, sourcePort: 1, destinationPort: 2 };
  const { b, at, end } = poisoned(packetOf('udp', flow, hex('010203')));
  b.set([0xff], end - 1);
  const view = new PacketView();
  readPacket(view, b, at, end);
  t.is(checksumsRight(b, view), FAULTS.TRANSPORT_CHECKSUM);
  rewriteSource(b, view, PUBLIC, 0, 9);
  t.is(checksumsRight(b, view), FAULTS.TRANSPORT_CHECKSUM);
  b.set([0], at + 8);
  t.is(checksumsRight(b, view), FAULTS.IP_CHECKSUM);
});

test('[RFC768] octets after the UDP length are carried untouched and not summed', (t) => {
  const flow = { source: UE, destination: AGW, sourcePort: 1, destinationPort: 2 };
  const datagram = [...udpDatagram(flow, hex('010203')), 0xde, 0xad, 0xbe, 0xef];
  const packet = ipPacket(UE, AGW, 17, Uint8Array.from(datagram));
  const { b, at, end } = poisoned(packet);
  const view = new PacketView();
  t.is(readPacket(view, b, at, end), 0);
  t.is(view.payloadEnd, end - 4);
  t.is(view.end, end);
  rewriteSource(b, view, PUBLIC, 0, 9);
  t.is(checksumsRight(b, view), 0);
  t.deepEqual(b.slice(end - 4, end), hex('deadbeef'));
});

test('arguments of ours that cannot be right are exceptions', (t) => {
  const { b, at, end } = poisoned(UPLINK);
  const view = new PacketView();
  readPacket(view, b, at, end);
  t.throws(() => rewriteSource(b, view, PUBLIC6, 0, 1), { instanceOf: RangeError });
  t.throws(() => rewriteSource(b, view, PUBLIC, 1, 1), { instanceOf: RangeError });
  for (const port of [65_536, -1, 1.5, Number.NaN]) {
    t.throws(() => rewriteSource(b, view, PUBLIC, 0, port), { instanceOf: RangeError });
  }
  t.throws(() => rewriteIcmpSource(b, view, PUBLIC, 0, 1), { instanceOf: RangeError });
  t.deepEqual(b.slice(at, end), UPLINK);
});

test('an address may be taken from inside a larger buffer', (t) => {
  const { b, at, end } = poisoned(UPLINK);
  const view = new PacketView();
  readPacket(view, b, at, end);
  const table = new Uint8Array(40);
  table.set(PUBLIC, 36);
  rewriteSource(b, view, table, 36, 50_000);
  t.deepEqual(b.slice(at + 12, at + 16), PUBLIC);
  t.throws(() => rewriteSource(b, view, table, 37, 1), { instanceOf: RangeError });
  t.throws(() => rewriteSource(b, view, table, -1, 1), { instanceOf: RangeError });
});

test('the view follows every rewrite', (t) => {
  const view = new PacketView();
  const packet = poisoned(UPLINK);
  readPacket(view, packet.b, packet.at, packet.end);
  rewriteDestination(packet.b, view, PUBLIC, 0, 7);
  t.is(view.destinationPort, 7);
  const error = poisoned(icmpError(UE, AGW, UPLINK));
  readPacket(view, error.b, error.at, error.end);
  rewriteIcmpSource(error.b, view, PUBLIC, 0, 8);
  rewriteIcmpDestination(error.b, view, PUBLIC, 0, 9);
  t.is(view.embeddedDestinationPort, 8);
  t.is(view.embeddedSourcePort, 9);
});

test('[RFC768] [RFC1624] through every port, a UDP checksum never becomes "absent"', (t) => {
  const { b, at, end } = poisoned(UPLINK);
  const view = new PacketView();
  readPacket(view, b, at, end);
  let ones = 0;
  for (let p = 0; p <= 0xffff; p++) {
    rewriteSource(b, view, PUBLIC, 0, p);
    const checksum = b.subarray(at + 26, at + 28).join();
    if (checksum === '0,0' || checksumsRight(b, view) !== 0) t.fail(String(p));
    if (checksum === '255,255') ones += 1;
  }
  t.true(ones > 0);
});

test('[RFC8200] a missing UDP checksum is wrong over IPv6', (t) => {
  const { b, at, end } = poisoned(vector('udp6-no-checksum'));
  const view = new PacketView();
  t.is(readPacket(view, b, at, end), FAULTS.UDP_CHECKSUM_ABSENT);
  t.is(checksumsRight(b, view), FAULTS.UDP_CHECKSUM_ABSENT);
});

test('an ICMP checksum of zero is not taken for an unfinished one', (t) => {
  const { b, at, end } = poisoned(vector('icmp4-port'));
  b.fill(0, at + 22, at + 24);
  const view = new PacketView();
  t.is(readPacket(view, b, at, end), 0);
  finishChecksums(b, view);
  t.is(checksumsRight(b, view), FAULTS.TRANSPORT_CHECKSUM);
});
