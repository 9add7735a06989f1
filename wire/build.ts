/**
 * Builds whole IP packets around UDP payloads, for ends that get payloads from sockets instead of
 * packets from an interface.
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
  if (source.family !== destination.family) throw new RangeError('endpoints of two families');
  const four = source.family === 4;
  const header = four ? ipv4.MIN_HEADER_LEN : ipv6.HEADER_LEN;
  const udpLength = udp.HEADER_LEN + to - from;
  const most = four ? ipv4.MAX_PACKET_LEN - header : ipv6.MAX_PAYLOAD_LEN;
  if (to < from || udpLength > most || at + header + udpLength > out.length) {
    throw new RangeError('payload does not fit');
  }
  const n = four ? ipv4.ADDRESS_LEN : ipv6.ADDRESS_LEN;
  if (source.address.length !== n || destination.address.length !== n) {
    throw new RangeError('address does not fit its family');
  }
  const addressesAt = four
    ? writeIpv4(out, at, udpLength, fields)
    : writeIpv6(out, at, udpLength, fields);
  copy(source.address, 0, out, addressesAt, n);
  copy(destination.address, 0, out, addressesAt + n, n);
  if (four) ipv4.setChecksum(out, at, ipv4.computedChecksum(out, at));
  const transport = at + header;
  udp.write(out, transport, source.port, destination.port, udpLength);
  copy(payload, from, out, transport + udp.HEADER_LEN, to - from);
  const sum =
    pseudoHeaderSum(out, addressesAt, n, udp.PROTOCOL, udpLength) +
    sumOf(out, transport, transport + udpLength);
  udp.setChecksum(out, transport, udpWire(checksumOf(sum)));
  return header + udpLength;
}

/**
 * All but the addresses and the checksum; gives the offset of the addresses. A packet that may not be
 * fragmented needs no identification (RFC 6864 section 4.1).
 */
function writeIpv4(out: Uint8Array, at: number, udpLength: number, fields: HeaderFields): number {
  setU8(out, at, 0x45);
  setU8(out, at + 1, fields.trafficClass ?? 0);
  setU16(out, at + 2, ipv4.MIN_HEADER_LEN + udpLength);
  setU16(out, at + 4, 0);
  setU16(out, at + 6, DONT_FRAGMENT);
  setU8(out, at + 8, fields.ttl ?? DEFAULT_TTL);
  setU8(out, at + 9, udp.PROTOCOL);
  setU16(out, at + 10, 0);
  return at + ipv4.OFF_SOURCE;
}

/** All but the addresses, flow label 0; gives the offset of the addresses. */
function writeIpv6(out: Uint8Array, at: number, udpLength: number, fields: HeaderFields): number {
  setU16(out, at, 0x6000 | ((fields.trafficClass ?? 0) << 4));
  setU16(out, at + 2, 0);
  setU16(out, at + 4, udpLength);
  setU8(out, at + 6, udp.PROTOCOL);
  setU8(out, at + 7, fields.ttl ?? DEFAULT_TTL);
  return at + ipv6.OFF_SOURCE;
}
