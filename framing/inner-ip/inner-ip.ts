/**
 * Bare inner IP packets and STUN messages, one after the other with nothing between them
 * (tep-wire 2; TR 33.830 8.6 leaves the octets open). Each record carries its own length:
 *
 *    00|01  STUN   | type 2      | length 2    | 21 12 A4 42 … |   20 + length
 *    45-4F  IPv4   | 4,IHL | tos | length 2    | … checksum … |    length
 *    60-6F  IPv6   | 6, class, flow 4          | length 2 | next | 40 + length
 *
 * 'G', 'H', 'I', 'M', 'N' and 'O' of text protocols look like IPv4 with options: only the header
 * checksum tells them apart. IPv4 is therefore not believed before its whole header
 * is there.
 */
import { copy, u8, u16, u32 } from '../../wire/bytes.ts';
import { FAULTS } from '../../wire/faults.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { MAX_STUN_LEN, HEADER_LEN as STUN_HEADER_LEN } from '../../wire/stun/message.ts';
import { MAGIC_COOKIE } from '../../wire/stun/registry.ts';
import { CHANNELS, type Channel, type Framing } from '../framing.ts';

const OFF_STUN_LENGTH = 2;
const OFF_STUN_COOKIE = 4;

/** From so many octets on, a header shows its length field. */
const IPV4_LENGTH_SHOWN = 4;
const IPV6_LENGTH_SHOWN = 6;

const MAX_IP_LEN = ipv4.MAX_PACKET_LEN;

export const innerIp: Framing = {
  name: 'inner-ip',
  maxFrame: MAX_IP_LEN,
  maxHeader: ipv4.MAX_HEADER_LEN,
  frameSize,
  channel,
  wrappedSize,
  wrap,
};

function frameSize(b: Uint8Array, at: number, end: number): number {
  if (end <= at) return 0;
  const first = u8(b, at);
  if (first >= 0x45 && first <= 0x4f) return ipv4Size(b, at, end);
  if (first <= 0x01) return stunSize(b, at, end);
  if (first >= 0x60 && first <= 0x6f) return ipv6Size(b, at, end);
  return -FAULTS.FRAME_UNKNOWN;
}

function channel(b: Uint8Array, at: number): Channel {
  return u8(b, at) <= 0x01 ? CHANNELS.CONTROL : CHANNELS.IP;
}

/** A record is its own payload, so the sizes are those that the record kinds allow. */
function wrappedSize(channel: Channel, length: number): number {
  if (channel === CHANNELS.IP) {
    return length >= ipv4.MIN_HEADER_LEN && length <= MAX_IP_LEN ? length : 0;
  }
  const legal = length >= STUN_HEADER_LEN && length <= MAX_STUN_LEN && length % 4 === 0;
  return legal ? length : 0;
}

/** Refuses a payload whose own length is not `end - at`: it would take the stream's place away. */
function wrap(
  kind: Channel,
  payload: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  outAt: number,
): number {
  const length = end - at;
  if (frameSize(payload, at, end) !== length || channel(payload, at) !== kind) return 0;
  copy(payload, at, out, outAt, length);
  return length;
}

/** RFC 8489 clause 5. Each octet of length and cookie is judged when it comes. */
function stunSize(b: Uint8Array, at: number, end: number): number {
  const there = end - at;
  if (there < OFF_STUN_COOKIE + 4) return stunStart(b, at, there);
  const length = u16(b, at + OFF_STUN_LENGTH);
  if (!stunLengthLegal(length)) return -FAULTS.STUN_LENGTH;
  if (u32(b, at + OFF_STUN_COOKIE) !== MAGIC_COOKIE) return -FAULTS.STUN_COOKIE;
  return STUN_HEADER_LEN + length;
}

function stunStart(b: Uint8Array, at: number, there: number): number {
  if (there > OFF_STUN_LENGTH) {
    const lowest = u8(b, at + OFF_STUN_LENGTH) << 8;
    const length = there > OFF_STUN_LENGTH + 1 ? lowest | u8(b, at + 3) : lowest;
    if (!stunLengthLegal(length)) return -FAULTS.STUN_LENGTH;
  }
  for (let i = OFF_STUN_COOKIE; i < there; i++) {
    const wanted = (MAGIC_COOKIE >>> (8 * (OFF_STUN_COOKIE + 3 - i))) & 0xff;
    if (u8(b, at + i) !== wanted) return -FAULTS.STUN_COOKIE;
  }
  return 0;
}

function stunLengthLegal(length: number): boolean {
  return length <= MAX_STUN_LEN - STUN_HEADER_LEN && (length & 3) === 0;
}

/** RFC 791 clause 3.1. */
function ipv4Size(b: Uint8Array, at: number, end: number): number {
  const there = end - at;
  if (there < IPV4_LENGTH_SHOWN) return 0;
  const headerLength = ipv4.headerLength(b, at);
  const length = ipv4.totalLength(b, at);
  if (length < headerLength) return -FAULTS.FRAME_IP_LENGTH;
  if (there < headerLength) return 0;
  return ipv4.checksumRight(b, at) ? length : -FAULTS.FRAME_IP_CHECKSUM;
}

/**
 * RFC 8200 clause 3. Payload length 0 with a hop-by-hop header behind it can only be a jumbogram
 * (RFC 2675) or nonsense; neither tells where it ends in a stream.
 */
function ipv6Size(b: Uint8Array, at: number, end: number): number {
  const there = end - at;
  if (there < IPV6_LENGTH_SHOWN) return 0;
  const length = ipv6.payloadLength(b, at);
  if (length > MAX_IP_LEN - ipv6.HEADER_LEN) return -FAULTS.FRAME_TOO_LONG;
  if (length !== 0) return ipv6.HEADER_LEN + length;
  if (there <= ipv6.OFF_NEXT_HEADER) return 0;
  return ipv6.nextHeader(b, at) === ipv6.NEXT_HOP_BY_HOP
    ? -FAULTS.FRAME_IP_LENGTH
    : ipv6.HEADER_LEN;
}
