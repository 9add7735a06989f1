import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import { bordersIntact, hex, poisoned, vector } from './packets.ts';
import { standingTests } from './standing.ts';

/** The header that many texts on the checksum use; its checksum is b861. */
const KNOWN = '4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7';

standingTests(
  '[RFC791] IPv4',
  [vector('udp4'), vector('udp4-router-alert'), vector('fragment4-first')],
  ipv4.check,
  (b, at) => [
    ipv4.headerLength(b, at),
    ipv4.trafficClass(b, at),
    ipv4.totalLength(b, at),
    ipv4.identification(b, at),
    ipv4.isFragment(b, at),
    ipv4.fragmentOffset(b, at),
    ipv4.ttl(b, at),
    ipv4.protocol(b, at),
    ipv4.checksum(b, at),
    ipv4.computedChecksum(b, at),
    ipv4.checkOptions(b, at),
  ],
);

test('[RFC791] fields and checksum of a header', (t) => {
  const { b, at } = poisoned(hex(KNOWN));
  t.is(ipv4.headerLength(b, at), 20);
  t.is(ipv4.totalLength(b, at), 0x73);
  t.is(ipv4.identification(b, at), 0);
  t.false(ipv4.isFragment(b, at));
  t.is(ipv4.ttl(b, at), 64);
  t.is(ipv4.protocol(b, at), 17);
  t.is(ipv4.checksum(b, at), 0xb861);
  t.is(ipv4.computedChecksum(b, at), 0xb861);
});

test('[RFC791] whether the header checksum is right, options included', (t) => {
  for (const octets of [hex(KNOWN), vector('udp4-router-alert')]) {
    const { b, at } = poisoned(octets);
    t.true(ipv4.checksumRight(b, at));
    for (let i = 1; i < ipv4.headerLength(b, at); i++) {
      b[at + i] = (b[at + i] ?? 0) ^ 0x01;
      t.false(ipv4.checksumRight(b, at), `octet ${i}`);
      b[at + i] = (b[at + i] ?? 0) ^ 0x01;
    }
    const payload = at + ipv4.headerLength(b, at);
    b[payload] = (b[payload] ?? 0) ^ 0xff;
    t.true(ipv4.checksumRight(b, at), 'the payload is not under it');
  }
});

test('[RFC791] another version is none of its packets, also where packets may be cut', (t) => {
  const { b, at, end } = poisoned(vector('udp4'));
  for (const version of [0, 3, 5, 6, 12, 15]) {
    b[at] = (version << 4) | 5;
    t.is(ipv4.check(b, at, end), FAULTS.IP_VERSION, `${version}`);
    t.is(ipv4.checkHeader(b, at, end), FAULTS.IP_VERSION, `${version}`);
  }
});

test('[RFC791] DSCP and ECN are one octet', (t) => {
  const { b, at } = poisoned(vector('udp4'));
  t.is(ipv4.trafficClass(b, at), 0xb8);
});

test("[RFC791] first, middle and last fragment; a whole packet with don't-fragment", (t) => {
  const seen = ['fragment4-first', 'fragment4-middle', 'fragment4-last', 'udp4'].map((name) => {
    const { b, at } = poisoned(vector(name));
    return [ipv4.isFragment(b, at), ipv4.moreFragments(b, at), ipv4.fragmentOffset(b, at)];
  });
  t.deepEqual(seen, [
    [true, true, 0],
    [true, true, 24],
    [true, false, 48],
    [false, false, 0],
  ]);
});

test("[RFC791] a fragment is made whole without losing don't-fragment", (t) => {
  const { b, at, end } = poisoned(hex(KNOWN.replace('4000 4011', '6123 4011')));
  ipv4.clearFragment(b, at);
  ipv4.setTotalLength(b, at, 0x0174);
  ipv4.setChecksum(b, at, 0x0102);
  t.deepEqual(b.slice(at, end), hex(KNOWN.replace('0073', '0174').replace('b861', '0102')));
  t.true(bordersIntact(b, at, end));
});

test('[RFC791] total length one beyond the octets is refused, one below leaves padding', (t) => {
  const octets = vector('udp4');
  for (const [more, fault] of [
    [0, 0],
    [-1, 0],
    [1, FAULTS.IP_LENGTH],
  ] as const) {
    const { b, at, end } = poisoned(octets);
    ipv4.setTotalLength(b, at, octets.length + more);
    t.is(ipv4.check(b, at, end), fault);
  }
});

test('[RFC791] options: routes refused, padding and end of list understood, broken lengths refused', (t) => {
  for (const [options, fault] of [
    ['01010100', 0],
    ['00830704', 0],
    ['94040000', 0],
    ['01830300', FAULTS.IP_SOURCE_ROUTE],
    ['89030400', FAULTS.IP_SOURCE_ROUTE],
    ['94050000', FAULTS.IP_LENGTH],
    ['94010000', FAULTS.IP_LENGTH],
    ['01010194', FAULTS.IP_LENGTH],
  ] as const) {
    const { b, at } = poisoned(hex(`46${KNOWN.slice(2)} ${options}`));
    t.is(ipv4.checkOptions(b, at), fault, options);
  }
});

test('[RFC791] an option cut off by the end of all octets is refused', (t) => {
  t.is(ipv4.checkOptions(hex(`46${KNOWN.slice(2)} 01010194`), 0), FAULTS.IP_LENGTH);
});

test('[RFC791] a header longer than the octets is refused, also where packets may be cut', (t) => {
  const { b, at } = poisoned(hex(`46${KNOWN.slice(2)}`));
  t.is(ipv4.checkHeader(b, at, at + 20), FAULTS.IP_LENGTH);
  t.is(ipv4.checkHeader(b, at, at + 24), 0);
});
