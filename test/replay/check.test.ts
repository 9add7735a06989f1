/** The judge is judged: whatever a tunnel could do wrong to a packet is noticed. */
import test from 'ava';
import { Check } from '../../cli/replay/check.ts';
import { type Counts, isRight, noCounts } from '../../cli/replay/counts.ts';
import { ExpectedPacket } from '../../cli/replay/expected-packet.ts';
import { textReport } from '../../cli/replay/report.ts';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { icmpError } from '../wire/packets.ts';
import { rtpPacket, tcpPacket, udpPacket } from './story.ts';

const UE = '10.0.0.2:4000';
const MEDIA = '198.51.100.7:30000';
const PUBLIC = '203.0.113.80:4000';
const UE6 = '[2001:db8:20::2]:4000';
const MEDIA6 = '[2001:db8:7::7]:30000';
const PUBLIC6 = '[2001:db8:ffff::80]:4000';

/** What the UE sent, and what the core should see. */
const PAIRS = [
  ['UDP', udpPacket(UE, MEDIA, rtpPacket(1)), udpPacket(PUBLIC, MEDIA, rtpPacket(1)), PUBLIC],
  [
    'UDP over IPv6',
    udpPacket(UE6, MEDIA6, rtpPacket(1)),
    udpPacket(PUBLIC6, MEDIA6, rtpPacket(1)),
    PUBLIC6,
  ],
  ['TCP', tcpPacket(UE, MEDIA, 'MSRP'), tcpPacket(PUBLIC, MEDIA, 'MSRP'), PUBLIC],
  ['ICMP', icmpAbout(UE, MEDIA), icmpAbout(PUBLIC, MEDIA), PUBLIC],
  ['ICMPv6', icmpAbout(UE6, MEDIA6), icmpAbout(PUBLIC6, MEDIA6), PUBLIC6],
] as const;

for (const [name, sent, right, address] of PAIRS) {
  test(`${name}: the right packet is the same, and a change of any bit is not`, (t) => {
    const expected = expecting(sent, address);
    t.is(expected.compare(right, 0, right.length), 'same');
    for (let bit = 0; bit < right.length * 8; bit++) {
      const changed = right.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (expected.compare(changed, 0, changed.length) === 'same') t.fail(`bit ${bit}`);
    }
  });

  test(`${name}: a packet longer or shorter by an octet is another one`, (t) => {
    const expected = expecting(sent, address);
    t.is(expected.compare(right, 0, right.length - 1), 'octets');
    t.is(expected.compare(Uint8Array.from([...right, 0]), 0, right.length + 1), 'octets');
  });

  test(`${name}: an unchanged address is told as that`, (t) => {
    t.is(expecting(sent, address).compare(sent, 0, sent.length), 'addresses');
  });
}

test('a checksum that was off before must be off by the same afterwards', (t) => {
  const damage = (octets: Uint8Array) => {
    const damaged = octets.slice();
    damaged[100] = (damaged[100] ?? 0) ^ 0x40;
    return damaged;
  };
  const sent = damage(udpPacket(UE, MEDIA, rtpPacket(1)));
  const right = damage(udpPacket(PUBLIC, MEDIA, rtpPacket(1)));
  const expected = expecting(sent, PUBLIC, 'kept');
  t.is(expected.compare(right, 0, right.length), 'same');
  right[26] = (right[26] ?? 0) ^ 1;
  t.is(expected.compare(right, 0, right.length), 'checksum');
});

test('a packet that does not come out is lost, one that comes late is out of order', (t) => {
  const { counts, check } = sendThree();
  check.arrived(coreSees(2), 0, coreSees(2).length);
  check.arrived(coreSees(1), 0, coreSees(1).length);
  t.like(counts, { carried: 2, orderErrors: 1, dropped: {} });
  check.end();
  t.deepEqual(counts.dropped, { lost: 1 });
  t.false(isRight(counts));
});

test('a packet that comes out twice is one too many', (t) => {
  const { counts, check } = sendThree();
  for (const n of [1, 2, 3, 3]) check.arrived(coreSees(n), 0, coreSees(n).length);
  t.like(counts, { carried: 3, mismatches: 1 });
});

test('each kind of fault has its own count', (t) => {
  const { counts, check } = sendThree();
  const payload = coreSees(1);
  payload[100] = 0xee;
  const checksum = coreSees(2);
  checksum[26] = (checksum[26] ?? 0) ^ 0x10;
  for (const octets of [payload, checksum, udpPacket(UE, MEDIA, rtpPacket(3))]) {
    check.arrived(octets, 0, octets.length);
  }
  t.like(counts, { mismatches: 1, checksumErrors: 1, tupleErrors: 1, carried: 3 });
});

test('octets are those of the capture, whatever finishing its checksums did to them', (t) => {
  const sent = udpPacket(UE, MEDIA, rtpPacket(1));
  const spoilt = sent.map((octet, i) => (i === sent.length - 1 ? octet ^ 1 : octet));
  const expected = new ExpectedPacket();
  fill(expected, sent, PUBLIC, 'right', spoilt);
  const whole = coreSees(1);
  t.is(expected.compare(whole, 0, whole.length), 'same');
  const changed = whole.map((octet, i) => (i === whole.length - 1 ? octet ^ 1 : octet));
  t.is(expected.compare(changed, 0, changed.length), 'octets');
});

test('a packet that was refused is counted by its reason', (t) => {
  const { counts, check } = sendThree();
  check.withdraw('no-binding');
  for (const n of [1, 2]) check.arrived(coreSees(n), 0, coreSees(n).length);
  check.end();
  t.like(counts, { carried: 2, dropped: { 'no-binding': 1 } });
});

test('memory is bounded when nothing comes out', (t) => {
  const counts = noCounts();
  const check = new Check(counts);
  for (let n = 0; n < 5000; n++) fill(check.next(), udpPacket(UE, MEDIA, rtpPacket(1)), PUBLIC);
  t.is(counts.dropped.lost, 5000 - 1024);
});

function sendThree(): { counts: Counts; check: Check } {
  const counts = noCounts();
  const check = new Check(counts);
  for (const n of [1, 2, 3]) fill(check.next(), udpPacket(UE, MEDIA, rtpPacket(n)), PUBLIC);
  return { counts, check };
}

function coreSees(n: number): Uint8Array {
  return udpPacket(PUBLIC, MEDIA, rtpPacket(n));
}

function expecting(sent: Uint8Array, address: string, rule: 'right' | 'kept' = 'right') {
  const expected = new ExpectedPacket();
  fill(expected, sent, address, rule);
  return expected;
}

function fill(
  expected: ExpectedPacket,
  sent: Uint8Array,
  address: string,
  rule: 'right' | 'kept' = 'right',
  finished = sent,
): void {
  const view = new PacketView();
  readPacket(view, sent, 0, sent.length);
  expected.expect(sent, view, 'source', endpoint(address), rule, finished);
}

function icmpAbout(ue: string, media: string): Uint8Array {
  const embedded = udpPacket(media, ue, rtpPacket(1)).subarray(0, 60);
  return icmpError(endpoint(ue).address, endpoint(media).address, embedded);
}

function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

test('people read why a packet was dropped', (t) => {
  const counts = { ...noCounts(), packets: 1, mediaPackets: 1, dropped: { 'no-binding': 1 } };
  const file = { file: 'a.pcap', ue: [], media: [], flows: 0, descriptions: 0, unread: [] };
  const text = textReport([{ ...file, counts, problem: undefined }]);
  t.regex(text, /^1 dropped: no-binding \(no binding for this address\)$/m);
  t.regex(text, /^Not every media packet came out/m);
});
