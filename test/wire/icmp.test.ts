import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import * as icmp from '../../wire/icmp.ts';
import * as icmpv6 from '../../wire/icmpv6.ts';
import { hex, poisoned } from './packets.ts';
import { standingTests } from './standing.ts';

/** By hand: fragmentation needed with MTU 1400 (RFC 1191), time exceeded (RFC 792). */
const TOO_LONG = '0304 1234 0000 0578';
const TIME_EXCEEDED = '0b00 1234 0000 0000 4500';
/** By hand: packet too big with MTU 70,000 (a router of jumbo links), RFC 4443 section 3.2. */
const TOO_BIG6 = '0200 1234 0001 1170';

standingTests('[RFC792] ICMP', [TOO_LONG, TIME_EXCEEDED], icmp.check, (b, at) => [
  icmp.type(b, at),
  icmp.code(b, at),
  icmp.mtu(b, at),
]);

standingTests('[RFC4443] ICMPv6', [TOO_BIG6, '0104 1234 0000 0000'], icmpv6.check, (b, at) => [
  icmpv6.type(b, at),
  icmpv6.code(b, at),
  icmpv6.mtu(b, at),
]);

test('[RFC1191] the MTU of "fragmentation needed"', (t) => {
  const { b, at } = poisoned(hex(TOO_LONG));
  t.is(icmp.type(b, at), icmp.TYPE_UNREACHABLE);
  t.is(icmp.code(b, at), icmp.CODE_FRAGMENTATION_NEEDED);
  t.is(icmp.mtu(b, at), 1400);
});

test('[RFC4443] the MTU of "packet too big" has 32 bits', (t) => {
  const { b, at } = poisoned(hex(TOO_BIG6));
  t.is(icmpv6.type(b, at), icmpv6.TYPE_PACKET_TOO_BIG);
  t.is(icmpv6.code(b, at), 0);
  t.is(icmpv6.mtu(b, at), 70_000);
});

test('[RFC5508] of all ICMP types only errors about a packet are let through', (t) => {
  for (let type = 0; type < 256; type++) {
    const { b, at, end } = poisoned(Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0));
    t.is(icmp.check(b, at, end), [3, 11, 12].includes(type) ? 0 : FAULTS.ICMP_TYPE);
    t.is(icmpv6.check(b, at, end), type >= 1 && type <= 4 ? 0 : FAULTS.ICMP_TYPE);
  }
});
