/**
 * One view for every IP packet of the data path: where its parts are, filled in place, so that a
 * packet costs no object. Offsets are into the buffer that `readPacket` was given and hold as long as
 * those octets stay where they are.
 */
import { u8, u16 } from './bytes.ts';
import { FAULTS, type Fault } from './faults.ts';
import * as icmp from './icmp.ts';
import * as icmpv6 from './icmpv6.ts';
import * as ipv4 from './ipv4.ts';
import * as ipv6 from './ipv6.ts';
import * as tcp from './tcp.ts';
import * as udp from './udp.ts';

export class PacketView {
  version: 4 | 6 = 4;
  start = 0;
  /** End of the IP packet by its own length; what follows in the buffer is padding of the link. */
  end = 0;
  /** The final transport protocol, extension headers passed over. */
  protocol = 0;
  /** Offset of the transport header. */
  transport = 0;
  /** Offset of the transport payload; in an ICMP error, of the packet inside. */
  payload = 0;
  /** End of the transport payload: for UDP by its own length, else the end of the packet. */
  payloadEnd = 0;
  sourceAt = 0;
  destinationAt = 0;
  addressLength: 4 | 16 = 4;
  /** 0 in an ICMP error. */
  sourcePort = 0;
  destinationPort = 0;

  /** Only for ICMP errors are the fields below right: the packet inside, as its sender sent it. */
  isIcmpError = false;
  embeddedSourceAt = 0;
  embeddedDestinationAt = 0;
  embeddedTransport = 0;
  embeddedProtocol = 0;
  embeddedSourcePort = 0;
  embeddedDestinationPort = 0;
  /** -1 when the embedded packet was cut before its transport checksum (TCP: after 8 octets). */
  embeddedChecksumAt = -1;
}

/**
 * Fills the view from the packet at [at, end). Any fragment is answered with IP_FRAGMENT: ports are
 * not in every piece and the checksum is in none. Faults found after the IP header leave version,
 * bounds, addresses and protocol right, so that the drop can be told by address. The IPv4 header
 * checksum is not verified here: what a stream brings, its framing has verified; what the own host
 * sends may not have one yet (`finishChecksums`).
 */
export function readPacket(view: PacketView, b: Uint8Array, at: number, end: number): 0 | Fault {
  view.isIcmpError = false;
  view.sourcePort = 0;
  view.destinationPort = 0;
  if (end - at < 1) return FAULTS.IP_SHORT;
  const version = u8(b, at) >> 4;
  if (version === 4) return readIpv4(view, b, at, end);
  return version === 6 ? readIpv6(view, b, at, end) : FAULTS.IP_VERSION;
}

function readIpv4(view: PacketView, b: Uint8Array, at: number, end: number): 0 | Fault {
  const fault = ipv4.check(b, at, end);
  if (fault !== 0) return fault;
  const header = ipv4.headerLength(b, at);
  view.version = 4;
  view.start = at;
  view.end = at + ipv4.totalLength(b, at);
  view.sourceAt = at + ipv4.OFF_SOURCE;
  view.destinationAt = at + ipv4.OFF_DESTINATION;
  view.addressLength = ipv4.ADDRESS_LEN;
  view.protocol = ipv4.protocol(b, at);
  view.transport = at + header;
  if (header > ipv4.MIN_HEADER_LEN) {
    const option = ipv4.checkOptions(b, at);
    if (option !== 0) return option;
  }
  if (ipv4.isFragment(b, at)) return FAULTS.IP_FRAGMENT;
  return readTransport(view, b);
}

function readIpv6(view: PacketView, b: Uint8Array, at: number, end: number): 0 | Fault {
  const fault = ipv6.check(b, at, end);
  if (fault !== 0) return fault;
  view.version = 6;
  view.start = at;
  view.end = at + ipv6.HEADER_LEN + ipv6.payloadLength(b, at);
  view.sourceAt = at + ipv6.OFF_SOURCE;
  view.destinationAt = at + ipv6.OFF_DESTINATION;
  view.addressLength = ipv6.ADDRESS_LEN;
  view.protocol = ipv6.nextHeader(b, at);
  view.transport = at + ipv6.HEADER_LEN;
  const walked = ipv6.walk(b, at, view.end, view.transport, view.protocol);
  if (walked < 0) return -walked as Fault;
  view.protocol = ipv6.walkedKind(walked);
  view.transport = at + ipv6.walkedOffset(walked);
  return view.protocol === ipv6.NEXT_FRAGMENT ? FAULTS.IP_FRAGMENT : readTransport(view, b);
}

function readTransport(view: PacketView, b: Uint8Array): 0 | Fault {
  if (view.protocol === udp.PROTOCOL) return readUdp(view, b);
  if (view.protocol === tcp.PROTOCOL) return readTcp(view, b);
  if (view.protocol === icmpProtocol(view)) return readIcmpError(view, b);
  return FAULTS.IP_PROTOCOL;
}

function readUdp(view: PacketView, b: Uint8Array): 0 | Fault {
  const at = view.transport;
  const fault = udp.check(b, at, view.end);
  if (fault !== 0) return fault;
  view.payload = at + udp.HEADER_LEN;
  view.payloadEnd = at + udp.length(b, at);
  view.sourcePort = udp.srcPort(b, at);
  view.destinationPort = udp.dstPort(b, at);
  // RFC 8200 section 8.1; the exception of RFC 6935 is for tunnels, not for media.
  return view.version === 6 && udp.checksum(b, at) === 0 ? FAULTS.UDP_CHECKSUM_ABSENT : 0;
}

function readTcp(view: PacketView, b: Uint8Array): 0 | Fault {
  const at = view.transport;
  const fault = tcp.check(b, at, view.end);
  if (fault !== 0) return fault;
  view.payload = at + tcp.headerLength(b, at);
  view.payloadEnd = view.end;
  view.sourcePort = tcp.srcPort(b, at);
  view.destinationPort = tcp.dstPort(b, at);
  return 0;
}

/** The ICMP of the packet's own IP version; the other one is no legal payload. */
function icmpProtocol(view: PacketView): number {
  return view.version === 4 ? icmp.PROTOCOL : icmpv6.PROTOCOL;
}

function readIcmpError(view: PacketView, b: Uint8Array): 0 | Fault {
  const at = view.transport;
  const four = view.version === 4;
  const fault = four ? icmp.check(b, at, view.end) : icmpv6.check(b, at, view.end);
  if (fault !== 0) return fault;
  view.payload = at + icmp.HEADER_LEN;
  view.payloadEnd = view.end;
  const found = four ? findEmbedded4(view, b) : findEmbedded6(view, b);
  if (!found || !readEmbeddedPorts(view, b)) return FAULTS.ICMP_EMBEDDED;
  view.isIcmpError = true;
  return 0;
}

function findEmbedded4(view: PacketView, b: Uint8Array): boolean {
  const at = view.payload;
  if (ipv4.checkHeader(b, at, view.end) !== 0) return false;
  // A fragment other than the first has no ports to translate.
  if (ipv4.fragmentOffset(b, at) !== 0) return false;
  view.embeddedSourceAt = at + ipv4.OFF_SOURCE;
  view.embeddedDestinationAt = at + ipv4.OFF_DESTINATION;
  view.embeddedProtocol = ipv4.protocol(b, at);
  view.embeddedTransport = at + ipv4.headerLength(b, at);
  return true;
}

function findEmbedded6(view: PacketView, b: Uint8Array): boolean {
  const at = view.payload;
  if (ipv6.checkHeader(b, at, view.end) !== 0) return false;
  view.embeddedSourceAt = at + ipv6.OFF_SOURCE;
  view.embeddedDestinationAt = at + ipv6.OFF_DESTINATION;
  let walked = ipv6.walk(b, at, view.end, at + ipv6.HEADER_LEN, ipv6.nextHeader(b, at));
  if (walked >= 0 && ipv6.walkedKind(walked) === ipv6.NEXT_FRAGMENT) {
    const fragment = at + ipv6.walkedOffset(walked);
    if (ipv6.fragmentOffset(b, fragment) !== 0) return false;
    walked = ipv6.walk(b, at, view.end, fragment + ipv6.FRAGMENT_HEADER_LEN, u8(b, fragment));
  }
  if (walked < 0) return false;
  view.embeddedProtocol = ipv6.walkedKind(walked);
  view.embeddedTransport = at + ipv6.walkedOffset(walked);
  return true;
}

/** Eight octets of the transport header are all that an error must bring (RFC 792). */
const EMBEDDED_MIN_LEN = 8;

function readEmbeddedPorts(view: PacketView, b: Uint8Array): boolean {
  const at = view.embeddedTransport;
  const end = embeddedEnd(view, b);
  if (end - at < EMBEDDED_MIN_LEN) return false;
  view.embeddedSourcePort = u16(b, at + udp.OFF_SOURCE_PORT);
  view.embeddedDestinationPort = u16(b, at + udp.OFF_DESTINATION_PORT);
  if (view.embeddedProtocol === udp.PROTOCOL) {
    view.embeddedChecksumAt = at + udp.OFF_CHECKSUM;
    return true;
  }
  const checksumAt = at + tcp.OFF_CHECKSUM;
  view.embeddedChecksumAt = checksumAt + 2 <= end ? checksumAt : -1;
  return view.embeddedProtocol === tcp.PROTOCOL;
}

/**
 * Octets after the embedded packet's own length are padding or extensions of the ICMP message
 * (RFC 4884), not part of it.
 */
function embeddedEnd(view: PacketView, b: Uint8Array): number {
  const at = view.payload;
  const length =
    view.version === 4 ? ipv4.totalLength(b, at) : ipv6.HEADER_LEN + ipv6.payloadLength(b, at);
  return Math.min(view.end, at + length);
}
