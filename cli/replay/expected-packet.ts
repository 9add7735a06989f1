/**
 * One packet that should come out of the tunnel: the octets of the capture with the addresses that it
 * should then have, and how its checksums are to be judged. Made without the code under test: addresses
 * are put in place octet by octet, and no checksum is computed but compared with what IP itself asks
 * of it.
 *
 * - `right`: the checksums were right in the capture, or not finished yet by the sending host; they
 *   must be right now
 * - `kept`: a checksum was wrong already, or cannot be known because the capture has not all octets;
 *   what it is off by must be the same now
 */
import type { Endpoint } from '../../wire/address.ts';
import { copy, equal, setU16, u16 } from '../../wire/bytes.ts';
import { fold, pseudoHeaderSum, sumOf } from '../../wire/checksum.ts';
import * as icmp from '../../wire/icmp.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { checksumsRight } from '../../wire/rewrite.ts';
import * as tcp from '../../wire/tcp.ts';
import * as udp from '../../wire/udp.ts';
import { MAX_PACKET_LEN } from './whole-packets.ts';

export type ChecksumRule = 'right' | 'kept';

/** `same`, or what differs first in importance. */
export type Difference = 'same' | 'addresses' | 'octets' | 'checksum';

/** Where an address changes: the outer header of a packet, and the other end of one inside ICMP. */
export type ChangedEnd = 'source' | 'destination';

export class ExpectedPacket {
  /** Place in the order of sending. */
  number = 0;
  #b = new Uint8Array(2_048);
  #length = 0;
  #rule: ChecksumRule = 'right';
  #offBy = 0;
  #insideOffBy = 0;
  /** Addresses and ports of the packet, then of the one inside it: offsets of 16-bit fields. */
  readonly #view = new PacketView();
  readonly #arrived = new PacketView();
  /** Offsets of checksum fields, in the order in which they stand in the packet. */
  readonly #checksums: number[] = [];

  /**
   * Takes a copy of the packet that `view` was filled from, with `end` put in the place of `changed`.
   * `finished` begins with the same packet, its checksums finished: only these are looked at.
   */
  expect(
    b: Uint8Array,
    view: PacketView,
    changed: ChangedEnd,
    end: Endpoint,
    rule: ChecksumRule,
    finished: Uint8Array,
  ): void {
    const { start } = view;
    this.#length = view.end - start;
    if (this.#b.length < this.#length) this.#b = new Uint8Array(MAX_PACKET_LEN);
    copy(b, start, this.#b, 0, this.#length);
    if (readPacket(this.#view, this.#b, 0, this.#length) !== 0) throw new RangeError('unreadable');
    this.#rule = rule;
    this.#offBy = rule === 'kept' ? offBy(finished, this.#view) : 0;
    this.#insideOffBy = insideOffBy(this.#b, this.#view);
    this.#listChecksums();
    if (changed === 'source') this.#putSource(end);
    else this.#putDestination(end);
  }

  /** How the packet [start, end) differs from what it should be. */
  compare(b: Uint8Array, start: number, end: number): Difference {
    if (end - start !== this.#length) return 'octets';
    if (!this.#sameBesideChecksums(b, start)) {
      return this.#sameAddresses(b, start) ? 'octets' : 'addresses';
    }
    if (readPacket(this.#arrived, b, start, end) !== 0) return 'octets';
    if (insideOffBy(b, this.#arrived) !== this.#insideOffBy) return 'checksum';
    const right =
      this.#rule === 'right'
        ? checksumsRight(b, this.#arrived) === 0
        : offBy(b, this.#arrived) === this.#offBy;
    return right ? 'same' : 'checksum';
  }

  #putSource({ address, port }: Endpoint): void {
    const v = this.#view;
    copy(address, 0, this.#b, v.sourceAt, address.length);
    if (v.isIcmpError) {
      copy(address, 0, this.#b, v.embeddedDestinationAt, address.length);
      setU16(this.#b, v.embeddedTransport + udp.OFF_DESTINATION_PORT, port);
    } else {
      setU16(this.#b, v.transport + udp.OFF_SOURCE_PORT, port);
    }
  }

  #putDestination({ address, port }: Endpoint): void {
    const v = this.#view;
    copy(address, 0, this.#b, v.destinationAt, address.length);
    if (v.isIcmpError) {
      copy(address, 0, this.#b, v.embeddedSourceAt, address.length);
      setU16(this.#b, v.embeddedTransport + udp.OFF_SOURCE_PORT, port);
    } else {
      setU16(this.#b, v.transport + udp.OFF_DESTINATION_PORT, port);
    }
  }

  #listChecksums(): void {
    const v = this.#view;
    const list = this.#checksums;
    list.length = 0;
    if (v.version === 4) list.push(OFF_IPV4_CHECKSUM);
    list.push(transportChecksumAt(v));
    if (!v.isIcmpError) return;
    if (v.version === 4) list.push(v.payload + OFF_IPV4_CHECKSUM);
    if (v.embeddedChecksumAt >= 0) list.push(v.embeddedChecksumAt);
  }

  #sameBesideChecksums(b: Uint8Array, start: number): boolean {
    let from = 0;
    for (const at of this.#checksums) {
      if (!equal(this.#b, from, b, start + from, at - from)) return false;
      from = at + 2;
    }
    return equal(this.#b, from, b, start + from, this.#length - from);
  }

  #sameAddresses(b: Uint8Array, start: number): boolean {
    const { sourceAt, addressLength, transport } = this.#view;
    const addresses = equal(this.#b, sourceAt, b, start + sourceAt, 2 * addressLength);
    return addresses && equal(this.#b, transport, b, start + transport, 4);
  }
}

const OFF_IPV4_CHECKSUM = 10;

/**
 * By how much the sums over the IPv4 header and over the transport segment miss the right value: equal
 * before and after a rewrite that brought every change into the checksums.
 */
function offBy(b: Uint8Array, view: PacketView): number {
  const header = view.version === 4 ? headerSum(b, view.start) : 0;
  return (fold(header) % 0xffff) * 0x1_0000 + (fold(transportSum(b, view)) % 0xffff);
}

/** The same for the packet inside an ICMP error, which is not all there: over what a rewrite changes. */
function insideOffBy(b: Uint8Array, view: PacketView): number {
  if (!view.isIcmpError) return 0;
  const header = view.version === 4 ? headerSum(b, view.payload) : 0;
  const at = view.embeddedTransport;
  const checksum = view.embeddedChecksumAt < 0 ? 0 : u16(b, view.embeddedChecksumAt);
  const absent = checksum === 0 && view.embeddedProtocol === udp.PROTOCOL;
  const addresses = sumOf(b, view.embeddedSourceAt, view.embeddedSourceAt + 2 * view.addressLength);
  const transport =
    absent || view.embeddedChecksumAt < 0 ? 0 : addresses + sumOf(b, at, at + 4) + checksum;
  return (fold(header) % 0xffff) * 0x1_0000 + (fold(transport) % 0xffff);
}

function headerSum(b: Uint8Array, at: number): number {
  return sumOf(b, at, at + ipv4.headerLength(b, at));
}

/** 0 for an absent UDP checksum. */
function transportSum(b: Uint8Array, view: PacketView): number {
  const { transport, payloadEnd, protocol } = view;
  if (protocol === udp.PROTOCOL && u16(b, transportChecksumAt(view)) === 0) return 0;
  const segment = sumOf(b, transport, payloadEnd);
  if (protocol === icmp.PROTOCOL) return segment;
  const length = payloadEnd - transport;
  return segment + pseudoHeaderSum(b, view.sourceAt, view.addressLength, protocol, length);
}

function transportChecksumAt(view: PacketView): number {
  if (view.protocol === udp.PROTOCOL) return view.transport + udp.OFF_CHECKSUM;
  return view.transport + (view.protocol === tcp.PROTOCOL ? tcp.OFF_CHECKSUM : icmp.OFF_CHECKSUM);
}
