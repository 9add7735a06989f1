import test from 'ava';
import { FAULTS, type Fault, faultName } from '../../wire/faults.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { checksumsRight, finishChecksums } from '../../wire/rewrite.ts';
import { hex, poisoned, vector, vectors } from './packets.ts';
import { standingTests } from './standing.ts';

function read(octets: Uint8Array): {
  view: PacketView;
  fault: 0 | Fault;
  b: Uint8Array;
  at: number;
} {
  const { b, at, end } = poisoned(octets);
  const view = new PacketView();
  return { view, fault: readPacket(view, b, at, end), b, at };
}

const ACCEPTED = vectors().filter((v) => v.outcome === 'ok');

standingTests(
  'readPacket',
  ACCEPTED.map((v) => v.octets),
  (b, at, end) => readPacket(new PacketView(), b, at, end),
  (b, at, end) => {
    const view = new PacketView();
    readPacket(view, b, at, end);
    const right = checksumsRight(b, view);
    const copy = Uint8Array.from(b);
    finishChecksums(copy, view);
    return [view, right, [...copy.subarray(at, end)]];
  },
);

for (const { name, outcome, octets } of vectors()) {
  test(`packet ${name}: ${outcome}`, (t) => {
    const { view, fault, b } = read(octets);
    t.is(fault === 0 ? 'ok' : faultName(fault), outcome);
    if (fault === 0) t.is(checksumsRight(b, view), 0);
  });
}

test('[M-13] [M-12] the view of a UDP packet: the five values by which it is steered', (t) => {
  const { view, at } = read(vector('udp4'));
  t.like(view, {
    version: 4,
    start: at,
    end: at + 60,
    protocol: 17,
    transport: at + 20,
    payload: at + 28,
    payloadEnd: at + 60,
    sourceAt: at + 12,
    destinationAt: at + 16,
    addressLength: 4,
    sourcePort: 16_384,
    destinationPort: 40_000,
    isIcmpError: false,
  });
});

test('[M-13] [M-12] the view of a UDP packet behind extension headers', (t) => {
  const { view, at } = read(vector('udp6-extensions'));
  t.like(view, {
    version: 6,
    protocol: 17,
    transport: at + 56,
    payload: at + 64,
    sourceAt: at + 8,
    destinationAt: at + 24,
    addressLength: 16,
    sourcePort: 16_384,
    destinationPort: 40_000,
  });
});

test('[M-12] the view of a TCP segment with options', (t) => {
  const { view, at } = read(vector('tcp4-syn'));
  t.like(view, {
    protocol: 6,
    transport: at + 20,
    payload: at + 60,
    sourcePort: 2855,
    destinationPort: 49_152,
  });
});

test('octets after the packet belong to the link', (t) => {
  const octets = vector('udp4-link-padding');
  const { view, at } = read(octets);
  t.is(view.end, at + 30);
  t.is(view.payloadEnd, at + 30);
  t.is(octets.length, 46);
});

test('an ICMP error shows the packet that it is about', (t) => {
  const { view, at } = read(vector('icmp4-port'));
  t.like(view, {
    isIcmpError: true,
    protocol: 1,
    payload: at + 28,
    sourcePort: 0,
    destinationPort: 0,
    embeddedSourceAt: at + 40,
    embeddedDestinationAt: at + 44,
    embeddedTransport: at + 48,
    embeddedProtocol: 17,
    embeddedSourcePort: 40_000,
    embeddedDestinationPort: 16_384,
    embeddedChecksumAt: at + 54,
  });
});

test('[RFC792] eight octets of the embedded transport are enough; its TCP checksum is not there', (t) => {
  const { view } = read(vector('icmp4-too-long'));
  t.like(view, {
    embeddedProtocol: 6,
    embeddedSourcePort: 50_000,
    embeddedDestinationPort: 49_152,
    embeddedChecksumAt: -1,
  });
});

test('[RFC4884] extensions of an ICMP message are no part of the embedded packet', (t) => {
  const tcp = vector('icmp4-too-long');
  // The embedded packet says that it ends after 16 octets of TCP; zeros follow as padding.
  const padded = Uint8Array.from([...tcp, ...new Uint8Array(12)]);
  padded.set([0, padded.length], 2);
  padded.set([0, 36], 30);
  const { view, fault } = read(padded);
  t.is(fault, 0);
  t.is(view.embeddedChecksumAt, -1);
});

test('an ICMP error about what is no packet of its version is refused, also by a used view', (t) => {
  const view = new PacketView();
  for (const [name, header] of [
    ['icmp4-port', 20],
    ['icmp6-port', 40],
  ] as const) {
    const right = vector(name);
    const payload = header + 8;
    const other = Uint8Array.from(right);
    other[payload] = (other[payload] ?? 0) ^ 0x20;
    const short = right.slice(0, payload + header - 1);
    new DataView(short.buffer).setUint16(
      header === 20 ? 2 : 4,
      short.length - (header === 20 ? 0 : 40),
    );
    for (const octets of [other, short]) {
      const before = poisoned(right);
      t.is(readPacket(view, before.b, before.at, before.end), 0);
      const { b, at, end } = poisoned(octets);
      t.is(readPacket(view, b, at, end), FAULTS.ICMP_EMBEDDED, name);
      t.false(view.isIcmpError);
    }
  }
});

test('faults behind the IP header leave addresses and bounds in the view', (t) => {
  for (const name of ['fragment4-middle', 'fragment6-last', 'esp4', 'ah6', 'udp-length-long']) {
    const octets = vector(name);
    const { view, fault, at } = read(octets);
    t.not(fault, 0);
    const six = octets[0] === 0x6b;
    t.like(view, { sourceAt: at + (six ? 8 : 12), addressLength: six ? 16 : 4 }, name);
    t.is(view.end, at + octets.length);
  }
});

test('a view is used again without traces of the packet before', (t) => {
  const view = new PacketView();
  const error = poisoned(vector('icmp6-port'));
  t.is(readPacket(view, error.b, error.at, error.end), 0);
  const packet = poisoned(vector('udp4'));
  t.is(readPacket(view, packet.b, packet.at, packet.end), 0);
  t.like(view, { version: 4, isIcmpError: false, addressLength: 4, sourcePort: 16_384 });
  t.is(readPacket(view, hex('ff'), 0, 1), FAULTS.IP_VERSION);
  t.is(view.sourcePort, 0);
  t.is(readPacket(view, hex(''), 0, 0), FAULTS.IP_SHORT);
});
