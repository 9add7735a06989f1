/**
 * Every change that a tunnel end may make to a packet. One function per change; each brings all the
 * checksums that it touches in line, so nobody can forget the second half.
 *
 * The sums are updated by the difference (RFC 1624): a packet that was damaged before stays damaged,
 * and a payload of any size costs the same. The view must be the one that `readPacket` filled for
 * these octets. Checksums that the host left unfinished are to be finished first: a difference added
 * to half a sum gives nonsense.
 */
import { setU16, u16 } from './bytes.ts';
import {
  checksumOf,
  fold,
  pseudoHeaderSum,
  replace,
  sumOf,
  sumOfEight,
  udpWire,
  update,
  wordDelta,
} from './checksum.ts';
import { FAULTS, type Fault } from './faults.ts';
import * as icmp from './icmp.ts';
import * as ipv4 from './ipv4.ts';
import type { PacketView } from './packet.ts';
import * as tcp from './tcp.ts';
import * as udp from './udp.ts';

const MAX_ADDRESS_LEN = 16;
const IPV6_ADDRESSES = 32;

/** Uplink: the source of a UDP or TCP packet becomes address:port. */
export function rewriteSource(
  b: Uint8Array,
  view: PacketView,
  address: Uint8Array,
  addressAt: number,
  port: number,
): void {
  requireArguments(view, address, addressAt, port, false);
  rewriteEnd(b, view, view.sourceAt, udp.OFF_SOURCE_PORT, address, addressAt, port);
  view.sourcePort = port;
}

/** Downlink: the destination of a UDP or TCP packet becomes address:port. */
export function rewriteDestination(
  b: Uint8Array,
  view: PacketView,
  address: Uint8Array,
  addressAt: number,
  port: number,
): void {
  requireArguments(view, address, addressAt, port, false);
  rewriteEnd(b, view, view.destinationAt, udp.OFF_DESTINATION_PORT, address, addressAt, port);
  view.destinationPort = port;
}

/**
 * Uplink: an ICMP error from the UE about a packet that it received. Its sender becomes `address`, and
 * so does the destination of the packet inside, with the port: the core must find what it had sent.
 */
export function rewriteIcmpSource(
  b: Uint8Array,
  view: PacketView,
  address: Uint8Array,
  addressAt: number,
  port: number,
): void {
  requireArguments(view, address, addressAt, port, true);
  const moved = replace(b, view.sourceAt, address, addressAt, view.addressLength);
  updateHeader(b, view, view.start, moved);
  const inside = replace(b, view.embeddedDestinationAt, address, addressAt, view.addressLength);
  const portDelta = replacePort(b, view.embeddedTransport + udp.OFF_DESTINATION_PORT, port);
  updateIcmp(b, view, moved, updateEmbedded(b, view, inside, portDelta));
  view.embeddedDestinationPort = port;
}

/**
 * Downlink: an ICMP error from the core about a packet that the UE had sent. It goes to `address`, and
 * the packet inside comes from there again, with the port that the UE used.
 */
export function rewriteIcmpDestination(
  b: Uint8Array,
  view: PacketView,
  address: Uint8Array,
  addressAt: number,
  port: number,
): void {
  requireArguments(view, address, addressAt, port, true);
  const moved = replace(b, view.destinationAt, address, addressAt, view.addressLength);
  updateHeader(b, view, view.start, moved);
  const inside = replace(b, view.embeddedSourceAt, address, addressAt, view.addressLength);
  const portDelta = replacePort(b, view.embeddedTransport + udp.OFF_SOURCE_PORT, port);
  updateIcmp(b, view, moved, updateEmbedded(b, view, inside, portDelta));
  view.embeddedSourcePort = port;
}

/**
 * Computes in full what the host left to its hardware: an IPv4 header checksum of 0, and a transport
 * checksum that is only the pseudo header's folded sum, not complemented (what Linux leaves in the
 * field for the card to go on from). Both values can also be a finished checksum by coincidence; then
 * the full computation gives that same checksum again, so no harm is done.
 *
 * Gives whether the header checksum is right then: the other end takes a wrong one for the end of the stream
 * (tep-wire 2), so one bad packet of a host must not get that far.
 */
export function finishChecksums(b: Uint8Array, view: PacketView): boolean {
  const { start, sourceAt, protocol, transport } = view;
  const isIpv4 = view.version === 4;
  const addresses = isIpv4
    ? sumOfEight(b, sourceAt)
    : sumOf(b, sourceAt, sourceAt + IPV6_ADDRESSES);
  // ICMP for IPv4 has no pseudo header, so nothing that could be left half done.
  if (protocol !== icmp.PROTOCOL) {
    const at = transportChecksumAt(view);
    const pseudo = addresses + protocol + view.payloadEnd - transport;
    if (u16(b, at) === fold(pseudo)) setU16(b, at, computedTransport(b, view));
  }
  if (!isIpv4) return true;
  const options = start + ipv4.MIN_HEADER_LEN;
  let header = sumOfEight(b, start) + u16(b, start + 8) + u16(b, start + 10) + addresses;
  if (transport > options) header += sumOf(b, options, transport);
  if (ipv4.checksum(b, start) !== 0) return fold(header) === 0xffff;
  ipv4.setChecksum(b, start, checksumOf(header));
  return true;
}

/**
 * 0 when the IPv4 header checksum and the transport checksum are right, else which one is not. An
 * absent UDP checksum over IPv4 is right.
 */
export function checksumsRight(b: Uint8Array, view: PacketView): 0 | Fault {
  if (view.version === 4 && !ipv4.checksumRight(b, view.start)) return FAULTS.IP_CHECKSUM;
  if (view.protocol === udp.PROTOCOL && u16(b, transportChecksumAt(view)) === 0) {
    return view.version === 4 ? 0 : FAULTS.UDP_CHECKSUM_ABSENT;
  }
  const sum = pseudoSum(b, view) + sumOf(b, view.transport, view.payloadEnd);
  return fold(sum) === 0xffff ? 0 : FAULTS.TRANSPORT_CHECKSUM;
}

/** One end of a UDP or TCP packet: its address at `at`, its port `offPort` into the transport header. */
function rewriteEnd(
  b: Uint8Array,
  view: PacketView,
  at: number,
  offPort: number,
  address: Uint8Array,
  addressAt: number,
  port: number,
): void {
  const moved = replace(b, at, address, addressAt, view.addressLength);
  const delta = moved + replacePort(b, view.transport + offPort, port);
  updateHeader(b, view, view.start, moved);
  updateTransport(b, transportChecksumAt(view), view.protocol, delta);
}

function requireArguments(
  view: PacketView,
  address: Uint8Array,
  addressAt: number,
  port: number,
  icmpError: boolean,
): void {
  const n = view.addressLength;
  // An array no longer than an address is an address: then its length tells the family.
  const family = address.length > MAX_ADDRESS_LEN || address.length === n;
  if (!family || addressAt < 0 || addressAt + n > address.length) {
    throw new RangeError('the address is not of the family of the packet');
  }
  if ((port & 0xffff) !== port) throw new RangeError('port outside 0…65535');
  if (view.isIcmpError !== icmpError) throw new RangeError('wrong kind of packet for this rewrite');
}

/** Gives what the new port adds to every sum over it. */
function replacePort(b: Uint8Array, at: number, port: number): number {
  const delta = wordDelta(u16(b, at), port);
  setU16(b, at, port);
  return delta;
}

/** Gives what the changed checksum adds to a sum over the header; IPv6 has none. */
function updateHeader(b: Uint8Array, view: PacketView, at: number, delta: number): number {
  if (view.version === 6) return 0;
  const before = ipv4.checksum(b, at);
  const after = update(before, delta);
  ipv4.setChecksum(b, at, after);
  return wordDelta(before, after);
}

/** Gives what the changed checksum adds to a sum over it; an absent UDP checksum stays absent. */
function updateTransport(b: Uint8Array, at: number, protocol: number, delta: number): number {
  const before = u16(b, at);
  const isUdp = protocol === udp.PROTOCOL;
  if (isUdp && before === 0) return 0;
  const after = isUdp ? udpWire(update(before, delta)) : update(before, delta);
  setU16(b, at, after);
  return wordDelta(before, after);
}

/** Brings the sums of the packet inside an error in line; gives what all of it adds to the outer sum. */
function updateEmbedded(b: Uint8Array, view: PacketView, moved: number, portDelta: number): number {
  const delta = moved + portDelta;
  const header = updateHeader(b, view, view.payload, moved);
  if (view.embeddedChecksumAt < 0) return delta + header;
  const at = view.embeddedChecksumAt;
  return delta + header + updateTransport(b, at, view.embeddedProtocol, delta);
}

/** The outer address is under the sum of ICMPv6 (pseudo header), not under that of ICMP. */
function updateIcmp(b: Uint8Array, view: PacketView, moved: number, inside: number): void {
  const at = transportChecksumAt(view);
  setU16(b, at, update(u16(b, at), view.version === 6 ? moved + inside : inside));
}

function transportChecksumAt(view: PacketView): number {
  if (view.protocol === udp.PROTOCOL) return view.transport + udp.OFF_CHECKSUM;
  if (view.protocol === tcp.PROTOCOL) return view.transport + tcp.OFF_CHECKSUM;
  return view.transport + icmp.OFF_CHECKSUM;
}

/** 0 where there is no pseudo header; any real one has a sum above 0. */
function pseudoSum(b: Uint8Array, view: PacketView): number {
  if (view.protocol === icmp.PROTOCOL) return 0;
  const length = view.payloadEnd - view.transport;
  return pseudoHeaderSum(b, view.sourceAt, view.addressLength, view.protocol, length);
}

function computedTransport(b: Uint8Array, view: PacketView): number {
  const field = u16(b, transportChecksumAt(view));
  const sum = pseudoSum(b, view) + sumOf(b, view.transport, view.payloadEnd) - field;
  const checksum = checksumOf(sum);
  return view.protocol === udp.PROTOCOL ? udpWire(checksum) : checksum;
}
