import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import * as udp from '../../wire/udp.ts';
import { bordersIntact, hex, poisoned } from './packets.ts';
import { standingTests } from './standing.ts';

/** RFC 768 by hand: 5060 to 5062, ten octets, checksum 1234. */
const DATAGRAM = '13c4 13c6 000a 1234 abcd';

standingTests('[RFC768] UDP', [DATAGRAM, '0001 ffff 0008 0000'], udp.check, (b, at) => [
  udp.srcPort(b, at),
  udp.dstPort(b, at),
  udp.length(b, at),
  udp.checksum(b, at),
]);

test('[RFC768] fields of a datagram', (t) => {
  const { b, at } = poisoned(hex(DATAGRAM));
  t.is(udp.srcPort(b, at), 5060);
  t.is(udp.dstPort(b, at), 5062);
  t.is(udp.length(b, at), 10);
  t.is(udp.checksum(b, at), 0x1234);
});

test('[RFC768] a length field below the header or beyond the packet is refused', (t) => {
  for (const [text, fault] of [
    ['13c4 13c6 0007 1234 abcd', FAULTS.UDP_LENGTH],
    ['13c4 13c6 0000 1234 abcd', FAULTS.UDP_LENGTH],
    ['13c4 13c6 000b 1234 abcd', FAULTS.UDP_LENGTH],
    ['13c4 13c6 0009 1234 abcd', 0],
    ['13c4 13c6 0008 12', FAULTS.UDP_SHORT],
  ] as const) {
    const { b, at, end } = poisoned(hex(text));
    t.is(udp.check(b, at, end), fault, text);
  }
});

test('[RFC768] what is written is eight octets', (t) => {
  const { b, at, end } = poisoned(hex('1111 1111 1111 1111'));
  udp.write(b, at, 5060, 5062, 10);
  udp.setChecksum(b, at, 0x1234);
  t.deepEqual(b.slice(at, end), hex('13c4 13c6 000a 1234'));
  t.true(bordersIntact(b, at, end));
});
