import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { bordersIntact, hex, poisoned, vector } from './packets.ts';
import { standingTests } from './standing.ts';

function walkOf(b: Uint8Array, at: number): number {
  const end = at + ipv6.HEADER_LEN + ipv6.payloadLength(b, at);
  return ipv6.walk(b, at, end, at + ipv6.HEADER_LEN, ipv6.nextHeader(b, at));
}

function walkVector(name: string): number {
  const { b, at } = poisoned(vector(name));
  return walkOf(b, at);
}

/** A packet whose payload is `extensions`, the first of kind `next`. */
function packet(next: string, extensions: string): Uint8Array {
  const payload = hex(extensions);
  const length = payload.length.toString(16).padStart(4, '0');
  return hex(`60000000 ${length} ${next} 40 ${'00'.repeat(32)} ${extensions}`);
}

standingTests(
  '[RFC8200] IPv6',
  ['udp6', 'udp6-extensions', 'udp6-route-used-up', 'udp6-atomic-fragment', 'fragment6-first'].map(
    vector,
  ),
  ipv6.check,
  (b, at) => [
    ipv6.trafficClass(b, at),
    ipv6.payloadLength(b, at),
    ipv6.nextHeader(b, at),
    ipv6.hopLimit(b, at),
    walkOf(b, at),
  ],
);

test('[RFC8200] fields of a header', (t) => {
  const { b, at, end } = poisoned(vector('udp6'));
  t.is(ipv6.trafficClass(b, at), 0xb8);
  t.is(ipv6.payloadLength(b, at), 40);
  t.is(ipv6.nextHeader(b, at), 17);
  t.is(ipv6.hopLimit(b, at), 64);
  ipv6.setPayloadLength(b, at, 0x0102);
  t.deepEqual(b.slice(at + 4, at + 8), hex('0102 11 40'));
  t.true(bordersIntact(b, at, end));
});

test('[RFC8200] the walk finds the transport behind every carried extension', (t) => {
  for (const [name, kind, offset] of [
    ['udp6', 17, 40],
    ['udp6-extensions', 17, 56],
    ['udp6-route-used-up', 17, 64],
    ['udp6-atomic-fragment', 17, 48],
    ['tcp6', 6, 40],
    ['ah6', 51, 40],
    ['no-next-header', 59, 40],
  ] as const) {
    const walked = walkVector(name);
    t.deepEqual([ipv6.walkedKind(walked), ipv6.walkedOffset(walked)], [kind, offset], name);
  }
});

test('[RFC8200] the walk stops at a real fragment header', (t) => {
  const { b, at } = poisoned(vector('fragment6-last'));
  const walked = walkOf(b, at);
  t.is(ipv6.walkedKind(walked), ipv6.NEXT_FRAGMENT);
  const fragmentAt = at + ipv6.walkedOffset(walked);
  t.is(ipv6.fragmentOffset(b, fragmentAt), 40);
  t.false(ipv6.moreFragments(b, fragmentAt));
  t.deepEqual(b.slice(ipv6.fragmentIdAt(fragmentAt)).slice(0, 4), hex('0a0b0c0d'));
});

test('[RFC6946] an atomic fragment is a whole packet', (t) => {
  t.is(ipv6.walkedKind(walkVector('udp6-atomic-fragment')), 17);
});

test('[RFC8200] eight extension headers are walked, nine are not', (t) => {
  const header = '3c00 0104 0000 0000';
  const last = '1100 0104 0000 0000';
  const eight = poisoned(packet('3c', `${header.repeat(7)} ${last}`));
  t.is(ipv6.walkedOffset(walkOf(eight.b, eight.at)), 40 + 64);
  const nine = poisoned(packet('3c', `${header.repeat(8)} ${last}`));
  t.is(walkOf(nine.b, nine.at), -FAULTS.IP_EXTENSIONS);
});

test('[RFC8200] options: padding of both kinds, broken lengths, jumbo, home address', (t) => {
  for (const [next, extension, fault] of [
    ['3c', '1100 0000 0000 0000', 0],
    ['3c', '1100 0103 000000 00', 0],
    ['3c', '1100 0105 00000000', FAULTS.IP_EXTENSIONS],
    ['3c', '1100 0000 0000 0001', FAULTS.IP_EXTENSIONS],
    ['3c', '1101 0104 0000 0000', FAULTS.IP_EXTENSIONS],
    ['00', '1100 c204 0001 0000', FAULTS.IP_LENGTH],
    ['3c', '1100 0000 c900 0000', FAULTS.IP_SOURCE_ROUTE],
    ['2b', '1100 0400 0000 0000', 0],
    ['2b', '1100 0401 0000 0000', FAULTS.IP_SOURCE_ROUTE],
    ['3c', '1100 0104', FAULTS.IP_EXTENSIONS],
    ['2c', '1100 0000 0000', FAULTS.IP_EXTENSIONS],
  ] as const) {
    const { b, at } = poisoned(packet(next, extension));
    const walked = walkOf(b, at);
    t.is(walked < 0 ? -walked : 0, fault, `${next} ${extension}`);
  }
});

test('[RFC2675] a jumbogram is refused', (t) => {
  const { b, at, end } = poisoned(vector('jumbogram'));
  t.is(ipv6.check(b, at, end), FAULTS.IP_LENGTH);
});
