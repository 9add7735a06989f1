import { Buffer } from 'node:buffer';
import test from 'ava';
import {
  DIRECTIONS,
  direction,
  ipOffset,
  LINK_TYPES,
  linkTypeKnown,
  NOT_IP,
} from '../../../io/pcap/link-types.ts';

const MACS = '0200000000010200000000fe';
const PACKET_4 = '4500001c';
const PACKET_6 = '60000000';
const SLL_START = '0000000100060200000000010000';

/** Name, link type, octets before the IP packet, first octets of the packet. */
const WITH_IP: readonly (readonly [string, number, string, string])[] = [
  ['Ethernet, IPv4', LINK_TYPES.ETHERNET, `${MACS}0800`, PACKET_4],
  ['Ethernet, IPv6', LINK_TYPES.ETHERNET, `${MACS}86dd`, PACKET_6],
  ['802.1Q', LINK_TYPES.ETHERNET, `${MACS}8100006e0800`, PACKET_4],
  ['802.1ad with 802.1Q inside', LINK_TYPES.ETHERNET, `${MACS}88a80064810000c886dd`, PACKET_6],
  ['old stacked tags', LINK_TYPES.ETHERNET, `${MACS}91000001920000020800`, PACKET_4],
  ['four tags', LINK_TYPES.ETHERNET, `${MACS}${'81000001'.repeat(4)}0800`, PACKET_4],
  ['SLL', LINK_TYPES.LINUX_SLL, `${SLL_START}0800`, PACKET_4],
  ['SLL with VLAN', LINK_TYPES.LINUX_SLL, `${SLL_START}8100000186dd`, PACKET_6],
  ['SLL2', LINK_TYPES.LINUX_SLL2, `0800${'0'.repeat(36)}`, PACKET_4],
  ['SLL2 with VLAN', LINK_TYPES.LINUX_SLL2, `8100${'0'.repeat(36)}000186dd`, PACKET_6],
  ['raw', LINK_TYPES.RAW, '', PACKET_6],
  ['raw of old files', LINK_TYPES.RAW_OPENBSD, '', PACKET_4],
  ['raw of BSD/OS', LINK_TYPES.RAW_OLD, '', PACKET_4],
  ['IPv4', LINK_TYPES.IPV4, '', PACKET_4],
  ['IPv6', LINK_TYPES.IPV6, '', PACKET_6],
  ['null, little-endian', LINK_TYPES.NULL, '02000000', PACKET_4],
  ['null, big-endian', LINK_TYPES.NULL, '00000002', PACKET_4],
  ['null, IPv6 of FreeBSD', LINK_TYPES.NULL, '1c000000', PACKET_6],
  ['null, IPv6 of macOS', LINK_TYPES.NULL, '1e000000', PACKET_6],
  ['null, IPv6 of OpenBSD', LINK_TYPES.NULL, '00000018', PACKET_6],
  ['loop', LINK_TYPES.LOOP, '00000002', PACKET_4],
];

const WITHOUT_IP: readonly (readonly [string, number, string])[] = [
  ['ARP', LINK_TYPES.ETHERNET, `${MACS}0806${PACKET_4}`],
  ['802.3 length', LINK_TYPES.ETHERNET, `${MACS}0026${PACKET_4}`],
  ['five tags', LINK_TYPES.ETHERNET, `${MACS}${'81000001'.repeat(5)}0800${PACKET_4}`],
  ['version 5 behind an IPv4 EtherType', LINK_TYPES.ETHERNET, `${MACS}080055000000`],
  ['SLL, ARP', LINK_TYPES.LINUX_SLL, `${SLL_START}0806${PACKET_4}`],
  ['SLL2, ARP', LINK_TYPES.LINUX_SLL2, `0806${'0'.repeat(36)}${PACKET_4}`],
  ['null, another family', LINK_TYPES.NULL, `07000000${PACKET_4}`],
  ['raw without a packet', LINK_TYPES.RAW, ''],
  ['802.11', 105, `${'08'.repeat(24)}${PACKET_4}`],
];

for (const [name, linkType, header, packet] of WITH_IP) {
  test(`${name}: the packet is found, and every shorter frame is refused`, (t) => {
    const octets = Buffer.from(header + packet, 'hex');
    const { b, at } = poisoned(octets);
    const offset = header.length / 2;
    t.is(ipOffset(linkType, b, at, at + octets.length), at + offset);
    for (let length = 0; length <= offset; length++) {
      t.is(ipOffset(linkType, b, at, at + length), NOT_IP, `${length} octets`);
    }
    t.true(linkTypeKnown(linkType));
  });
}

for (const [name, linkType, frame] of WITHOUT_IP) {
  test(`${name}: no IP packet`, (t) => {
    const octets = Buffer.from(frame, 'hex');
    const { b, at } = poisoned(octets);
    t.is(ipOffset(linkType, b, at, at + octets.length), NOT_IP);
  });
}

test('Linux cooked headers tell what this host sent', (t) => {
  const told = (linkType: number, octets: Buffer, length = octets.length) => {
    const { b, at } = poisoned(octets);
    return direction(linkType, b, at, at + length);
  };
  const sll = Buffer.from(`${SLL_START}0800`, 'hex');
  t.is(told(LINK_TYPES.LINUX_SLL, sll), DIRECTIONS.RECEIVED);
  sll.writeUInt16BE(4, 0);
  t.is(told(LINK_TYPES.LINUX_SLL, sll), DIRECTIONS.SENT);
  t.is(told(LINK_TYPES.LINUX_SLL, sll, sll.length - 1), DIRECTIONS.UNKNOWN);

  const sll2 = Buffer.alloc(20);
  t.is(told(LINK_TYPES.LINUX_SLL2, sll2), DIRECTIONS.RECEIVED);
  sll2[10] = 4;
  t.is(told(LINK_TYPES.LINUX_SLL2, sll2), DIRECTIONS.SENT);
  t.is(told(LINK_TYPES.LINUX_SLL2, sll2, sll2.length - 1), DIRECTIONS.UNKNOWN);

  t.is(told(LINK_TYPES.ETHERNET, sll2), DIRECTIONS.UNKNOWN);
});

/** The octets in the middle of others that look like a packet, so that a read outside is seen. */
function poisoned(octets: Buffer): { b: Buffer; at: number } {
  const at = 32;
  const b = Buffer.alloc(octets.length + 2 * at, 0x45);
  octets.copy(b, at);
  return { b, at };
}
