import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import * as tcp from '../../wire/tcp.ts';
import { bordersIntact, hex, poisoned } from './packets.ts';
import { standingTests } from './standing.ts';

/** RFC 9293 by hand: SYN of 2855 to 49152 with a maximum segment size; then a bare ACK. */
const SYN = '0b27 c000 01020304 00000000 6002 faf0 beef 0000 020405b4';
const ACK = '0b27 c000 01020305 05060708 5010 faf0 cafe 0000';

standingTests('[RFC9293] TCP', [SYN, ACK, `${ACK} 4d535250`], tcp.check, (b, at) => [
  tcp.srcPort(b, at),
  tcp.dstPort(b, at),
  tcp.headerLength(b, at),
  tcp.checksum(b, at),
]);

test('[RFC9293] fields of a segment', (t) => {
  const { b, at, end } = poisoned(hex(SYN));
  t.is(tcp.srcPort(b, at), 2855);
  t.is(tcp.dstPort(b, at), 49_152);
  t.is(tcp.headerLength(b, at), 24);
  t.is(tcp.checksum(b, at), 0xbeef);
  tcp.setChecksum(b, at, 0x0102);
  t.deepEqual(b.slice(at + 16, at + 18), hex('0102'));
  t.true(bordersIntact(b, at, end));
});

test('[RFC9293] a data offset below 5 words or beyond the packet is refused', (t) => {
  for (const [offset, fault] of [
    ['0', FAULTS.TCP_OFFSET],
    ['4', FAULTS.TCP_OFFSET],
    ['5', 0],
    ['6', FAULTS.TCP_OFFSET],
    ['f', FAULTS.TCP_OFFSET],
  ] as const) {
    const { b, at, end } = poisoned(hex(ACK.replace('5010', `${offset}010`)));
    t.is(tcp.check(b, at, end), fault, offset);
  }
});
