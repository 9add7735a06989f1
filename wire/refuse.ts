/**
 * Tells the sender of a packet at once that it does not get through, as a firewall that means well
 * does: UDP by an ICMP error "communication administratively prohibited" (RFC 1812 section 5.2.7.1,
 * RFC 4443 section 3.1), the first segment of a TCP connection by a reset (RFC 9293 section 3.10.7.1).
 * The answer comes from the address that the packet was for, as one from there would.
 *
 * Nothing is answered where the RFCs forbid it (RFC 1122 section 3.2.2, RFC 4443 section 2.4): ICMP
 * errors, and packets from or to addresses that stand for no single host. Fragments never come here:
 * `readPacket` refuses them. How often it may be done is the caller's to limit.
 */
import { writeHeaderAround } from './build.ts';
import { copy, setU8, setU16, setU32 } from './bytes.ts';
import { checksumOf, pseudoHeaderSum, sumOf } from './checksum.ts';
import { isHost, reach } from './disguise.ts';
import * as icmp from './icmp.ts';
import * as icmpv6 from './icmpv6.ts';
import * as ipv4 from './ipv4.ts';
import * as ipv6 from './ipv6.ts';
import type { PacketView } from './packet.ts';
import * as tcp from './tcp.ts';
import * as udp from './udp.ts';

/** The longest answer: an ICMPv6 error fills the least MTU of IPv6 at most (RFC 4443 section 2.4). */
export const MAX_REFUSAL_LEN = 1280;
/** The longest ICMP error (RFC 1812 section 4.3.2.3). */
const MAX_ICMP4_LEN = 576;

/** Room for the IPv4 address behind a disguise; what it is does not matter here. */
const hidden = new Uint8Array(4);

/**
 * Writes the answer at `at`, gives its length; 0: there is to be none. `b` holds the packet as its
 * sender made it. `out` has room for MAX_REFUSAL_LEN.
 */
export function writeRefusal(out: Uint8Array, at: number, b: Uint8Array, view: PacketView): number {
  const { sourceAt, destinationAt, addressLength: n } = view;
  if (!isHost(reach(b, sourceAt, n, hidden)) || !isHost(reach(b, destinationAt, n, hidden)))
    return 0;
  if (view.protocol === tcp.PROTOCOL) return writeReset(out, at, b, view);
  return view.protocol === udp.PROTOCOL ? writeUnreachable(out, at, b, view) : 0;
}

/** Type, code, checksum, four octets unused, then the packet meant, cut where the answer is full. */
function writeUnreachable(out: Uint8Array, at: number, b: Uint8Array, view: PacketView): number {
  const four = view.version === 4;
  const transport = at + headerLength(view);
  const most = (four ? MAX_ICMP4_LEN : MAX_REFUSAL_LEN) - headerLength(view) - icmp.HEADER_LEN;
  const kept = Math.min(most, view.end - view.start);
  setU8(out, transport, four ? icmp.TYPE_UNREACHABLE : icmpv6.TYPE_UNREACHABLE);
  setU8(out, transport + 1, four ? icmp.CODE_PROHIBITED : icmpv6.CODE_PROHIBITED);
  setU16(out, transport + icmp.OFF_CHECKSUM, 0);
  setU32(out, transport + 4, 0);
  copy(b, view.start, out, transport + icmp.HEADER_LEN, kept);
  const protocol = four ? icmp.PROTOCOL : icmpv6.PROTOCOL;
  return finish(out, at, b, view, protocol, icmp.HEADER_LEN + kept, icmp.OFF_CHECKSUM);
}

/** Only for SYN without ACK: a connection that the sender would open. */
function writeReset(out: Uint8Array, at: number, b: Uint8Array, view: PacketView): number {
  const { ACK, RST, SYN } = tcp.FLAGS;
  if ((tcp.flags(b, view.transport) & (ACK | RST | SYN)) !== SYN) return 0;
  const payload = view.payloadEnd - view.payload;
  tcp.write(out, at + headerLength(view), {
    sourcePort: view.destinationPort,
    destinationPort: view.sourcePort,
    sequence: 0,
    // SYN counts for one.
    acknowledgement: (tcp.sequence(b, view.transport) + payload + 1) >>> 0,
    flags: RST | ACK,
  });
  return finish(out, at, b, view, tcp.PROTOCOL, tcp.MIN_HEADER_LEN, tcp.OFF_CHECKSUM);
}

/** The IP header, addresses the other way round, and the checksum of the payload; gives the length. */
function finish(
  out: Uint8Array,
  at: number,
  b: Uint8Array,
  view: PacketView,
  protocol: number,
  length: number,
  offChecksum: number,
): number {
  const n = view.addressLength;
  const addressesAt = at + (n === ipv4.ADDRESS_LEN ? ipv4.OFF_SOURCE : ipv6.OFF_SOURCE);
  copy(b, view.destinationAt, out, addressesAt, n);
  copy(b, view.sourceAt, out, addressesAt + n, n);
  writeHeaderAround(out, at, n, protocol, length);
  const transport = at + headerLength(view);
  const pseudo =
    protocol === icmp.PROTOCOL ? 0 : pseudoHeaderSum(out, addressesAt, n, protocol, length);
  const sum = pseudo + sumOf(out, transport, transport + length);
  setU16(out, transport + offChecksum, checksumOf(sum));
  return headerLength(view) + length;
}

/** Of the answer: no options, no extensions. */
function headerLength(view: PacketView): number {
  return view.version === 4 ? ipv4.MIN_HEADER_LEN : ipv6.HEADER_LEN;
}
