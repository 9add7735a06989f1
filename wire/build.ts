/**
 * Builds whole IP packets: headers for any payload, and UDP packets for ends that get payloads from
 * sockets instead of packets from an interface.
 */
import type { Endpoint } from './address.ts';
import { copy, setU8, setU16 } from './bytes.ts';
import { checksumOf, pseudoHeaderSum, sumOf, udpWire } from './checksum.ts';
import * as ipv4 from './ipv4.ts';
import * as ipv6 from './ipv6.ts';
import * as udp from './udp.ts';

export interface HeaderFields {
  /** Hop limit in IPv6. */
  readonly ttl?: number;
  /** DSCP (upper 6 bits) and ECN (lower 2). */
  readonly trafficClass?: number;
}

const DEFAULT_TTL = 64;
const DONT_FRAGMENT = 0x4000;
const NO_FIELDS: HeaderFields = {};

/** The most that `putUdpHeaders` writes before a payload. */
export const UDP_HEADERS_LEN = ipv6.HEADER_LEN + udp.HEADER_LEN;

/**
 * Writes an IPv4 or IPv6 packet with the UDP payload [from, to) at `at`; gives its length. The payload
 * must not lie where the packet goes.
 */
export function writeUdpPacket(
  out: Uint8Array,
  at: number,
  source: Endpoint,
  destination: Endpoint,
  payload: Uint8Array,
  from: number,
  to: number,
  fields: HeaderFields = NO_FIELDS,
): number {
  const header = source.family === 4 ? ipv4.MIN_HEADER_LEN : ipv6.HEADER_LEN;
  const payloadAt = at + header + udp.HEADER_LEN;
  const end = payloadAt + to - from;
  if (to < from || end > out.length) throw new RangeError('payload does not fit');
  copy(payload, from, out, payloadAt, to - from);
  putUdpHeaders(out, payloadAt, end, source, destination, fields);
  return end - at;
}

/**
 * Makes an IPv4 or IPv6 packet of the UDP payload [payloadAt, end), by headers in front of it; gives where
 * the packet begins.
 */
export function putUdpHeaders(
  b: Uint8Array,
  payloadAt: number,
  end: number,
  source: Endpoint,
  destination: Endpoint,
  fields: HeaderFields = NO_FIELDS,
): number {
  if (source.family !== destination.family) throw new RangeError('endpoints of two families');
  const four = source.family === 4;
  const header = four ? ipv4.MIN_HEADER_LEN : ipv6.HEADER_LEN;
  const transport = payloadAt - udp.HEADER_LEN;
  const at = transport - header;
  const udpLength = end - transport;
  const most = four ? ipv4.MAX_PACKET_LEN - header : ipv6.MAX_PAYLOAD_LEN;
  if (at < 0 || udpLength > most) throw new RangeError('payload does not fit');
  const n = four ? ipv4.ADDRESS_LEN : ipv6.ADDRESS_LEN;
  if (source.address.length !== n || destination.address.length !== n) {
    throw new RangeError('address does not fit its family');
  }
  const addressesAt = at + (four ? ipv4.OFF_SOURCE : ipv6.OFF_SOURCE);
  copy(source.address, 0, b, addressesAt, n);
  copy(destination.address, 0, b, addressesAt + n, n);
  writeHeaderAround(b, at, n, udp.PROTOCOL, udpLength, fields);
  udp.write(b, transport, source.port, destination.port, udpLength);
  const sum =
    pseudoHeaderSum(b, addressesAt, n, udp.PROTOCOL, udpLength) + sumOf(b, transport, end);
  udp.setChecksum(b, transport, udpWire(checksumOf(sum)));
  return at;
}

/**
 * Writes the IP header at `at` for `length` octets of payload, around addresses of `n` octets that
 * stand in their places already.
 */
export function writeHeaderAround(
  out: Uint8Array,
  at: number,
  n: 4 | 16,
  protocol: number,
  length: number,
  fields: HeaderFields = NO_FIELDS,
): void {
  if (n === ipv4.ADDRESS_LEN) writeIpv4(out, at, protocol, length, fields);
  else writeIpv6(out, at, protocol, length, fields);
}

/** A packet that may not be fragmented needs no identification (RFC 6864 section 4.1). */
function writeIpv4(
  out: Uint8Array,
  at: number,
  protocol: number,
  length: number,
  fields: HeaderFields,
): void {
  setU8(out, at, 0x45);
  setU8(out, at + 1, fields.trafficClass ?? 0);
  setU16(out, at + 2, ipv4.MIN_HEADER_LEN + length);
  setU16(out, at + 4, 0);
  setU16(out, at + 6, DONT_FRAGMENT);
  setU8(out, at + 8, fields.ttl ?? DEFAULT_TTL);
  setU8(out, at + 9, protocol);
  setU16(out, at + 10, 0);
  ipv4.setChecksum(out, at, ipv4.computedChecksum(out, at));
}

/** Flow label 0. */
function writeIpv6(
  out: Uint8Array,
  at: number,
  protocol: number,
  length: number,
  fields: HeaderFields,
): void {
  setU16(out, at, 0x6000 | ((fields.trafficClass ?? 0) << 4));
  setU16(out, at + 2, 0);
  setU16(out, at + 4, length);
  setU8(out, at + 6, protocol);
  setU8(out, at + 7, fields.ttl ?? DEFAULT_TTL);
}
