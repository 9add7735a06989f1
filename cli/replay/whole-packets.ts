/**
 * From captured frames to the whole IP packets that a tunnel end would see: the link header taken
 * off, octets that the capture did not keep put back as zeros, fragments put together.
 */

import type { PacketRecord } from '../../io/pcap/format.ts';
import { type Direction, direction, ipOffset, NOT_IP } from '../../io/pcap/link-types.ts';
import { u8 } from '../../wire/bytes.ts';
import { Defragmenter } from '../../wire/defragment.ts';
import { FAULTS } from '../../wire/faults.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';

/** Of the longest IPv6 packet. */
export const MAX_PACKET_LEN = ipv6.HEADER_LEN + ipv6.MAX_PAYLOAD_LEN;

export class WholePackets {
  /** After `read` said true: the packet [view.start, view.end) of `b`, until the next `read`. */
  readonly view = new PacketView();
  b: Uint8Array = new Uint8Array(0);
  /** Octets at the end of the packet are zeros that the capture does not have. */
  snapped = false;
  /** This frame was a fragment, also when it completed no packet. */
  fragment = false;
  /** After `read` said false: it is because UDP over IPv6 came without a checksum; the view is right. */
  lacksChecksum = false;
  /** What the capturing host said about the frame. */
  direction: Direction = 0;
  readonly #padded = new Uint8Array(MAX_PACKET_LEN);
  readonly #defragmenter = new Defragmenter();
  /** Some fragment of the datagrams now waiting was snapped. */
  #snappedFragments = false;

  /** Fragmented packets that were not, or not yet, put together. */
  get incomplete(): number {
    const { counts, waiting } = this.#defragmenter;
    return counts.incomplete + counts.overlapping + waiting;
  }

  /** Whether the frame holds, or completes, a UDP or TCP packet or an ICMP error about one. */
  read(record: PacketRecord, nowMs: number): boolean {
    this.snapped = false;
    this.fragment = false;
    this.lacksChecksum = false;
    const { linkType, b, at, end } = record;
    const offset = ipOffset(linkType, b, at, end);
    if (offset === NOT_IP) return false;
    this.direction = direction(linkType, b, at, end);
    const cut = record.originalLength > end - at;
    return cut ? this.#readCut(b, offset, end, nowMs) : this.#readWhole(b, offset, end, nowMs);
  }

  #readCut(b: Uint8Array, at: number, end: number, nowMs: number): boolean {
    const length = ownLength(b, at, end);
    if (length <= end - at) return this.#readWhole(b, at, end, nowMs);
    this.snapped = true;
    this.#padded.set(b.subarray(at, end));
    this.#padded.fill(0, end - at, length);
    return this.#readWhole(this.#padded, 0, length, nowMs);
  }

  #readWhole(b: Uint8Array, at: number, end: number, nowMs: number): boolean {
    this.b = b;
    const fault = readPacket(this.view, b, at, end);
    // A field that was not captured proves nothing.
    this.lacksChecksum = fault === FAULTS.UDP_CHECKSUM_ABSENT && !this.snapped;
    if (fault !== FAULTS.IP_FRAGMENT) return fault === 0;
    this.fragment = true;
    this.#snappedFragments ||= this.snapped;
    const d = this.#defragmenter;
    if (!d.push(b, at, end, nowMs)) return false;
    this.snapped = this.#snappedFragments;
    if (d.waiting === 0) this.#snappedFragments = false;
    this.b = d.bytes;
    return readPacket(this.view, d.bytes, d.start, d.end) === 0;
  }
}

/** The length that the IP header tells; 0 when not even that was captured. */
function ownLength(b: Uint8Array, at: number, end: number): number {
  const four = u8(b, at) >> 4 === 4;
  if (end - at < (four ? ipv4.MIN_HEADER_LEN : ipv6.HEADER_LEN)) return 0;
  return four ? ipv4.totalLength(b, at) : ipv6.HEADER_LEN + ipv6.payloadLength(b, at);
}
