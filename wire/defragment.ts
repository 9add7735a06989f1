/**
 * Puts fragments together again (RFC 791 section 3.2, RFC 8200 section 4.5), for captures that were
 * taken on the wire below the place where a tunnel end sits. Bounded in datagrams, octets and age; time
 * comes in as an argument.
 *
 * Fragments that overlap condemn their datagram: what came is thrown away and so is what still comes
 * (RFC 5722, here for IPv4 too). An exact copy of a fragment is no overlap (RFC 8200 section 4.5).
 */
import { equal, u8 } from './bytes.ts';
import { type Fragment, ownOctets, readFragment } from './fragment.ts';
import * as ipv4 from './ipv4.ts';
import * as ipv6 from './ipv6.ts';

export interface DefragmentLimits {
  readonly maxDatagrams: number;
  /** Payload octets held for all datagrams together. */
  readonly maxOctets: number;
  /** From the first fragment that came; RFC 8200 section 4.5 says a minute. */
  readonly maxAgeMs: number;
}

const DEFAULT_LIMITS: DefragmentLimits = {
  maxDatagrams: 256,
  maxOctets: 4_194_304,
  maxAgeMs: 60_000,
};

export interface DefragmentCounts {
  /** Datagrams put together. */
  reassembled: number;
  /** Datagrams given up because time or room ran out. */
  incomplete: number;
  /** Datagrams condemned because fragments overlapped or contradicted each other. */
  overlapping: number;
  /** Fragments of condemned datagrams that came afterwards. */
  late: number;
  /** Exact copies of fragments. */
  duplicate: number;
  /** Packets and fragments that are broken in themselves. */
  malformed: number;
}

/** What the longest datagram makes at the least MTU of IPv4, 68 octets (RFC 791 section 3.2). */
const MAX_PIECES = 1_400;

/** One fragment: its place in the payload and a copy of those octets. */
interface Piece {
  readonly from: number;
  readonly octets: Uint8Array;
}

interface Datagram {
  readonly key: string;
  readonly bornMs: number;
  /** In order of `from`, never overlapping. */
  readonly pieces: Piece[];
  held: number;
  /** Length of the whole payload; -1 until the last fragment has come. */
  total: number;
  /** Headers of the first fragment, without the fragment header; undefined until it has come. */
  head: Uint8Array | undefined;
  condemned: boolean;
}

export class Defragmenter {
  /** After `push` said true: a whole packet is at [start, end) of `bytes`, until the next `push`. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  readonly counts: DefragmentCounts = {
    reassembled: 0,
    incomplete: 0,
    overlapping: 0,
    late: 0,
    duplicate: 0,
    malformed: 0,
  };
  readonly #limits: DefragmentLimits;
  /** In order of birth, which is the order of age. */
  readonly #datagrams = new Map<string, Datagram>();
  #held = 0;

  constructor(limits: DefragmentLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Datagrams of which some fragments are here and some are not. */
  get waiting(): number {
    let n = 0;
    for (const datagram of this.#datagrams.values()) if (!datagram.condemned) n += 1;
    return n;
  }

  /**
   * Takes the IP packet at [at, end). True: `bytes`, `start` and `end` hold a whole packet, either this
   * one, untouched, or the datagram that it completed. The octets are not kept.
   */
  push(b: Uint8Array, at: number, end: number, nowMs: number): boolean {
    this.#expire(nowMs);
    const fragment = readFragment(b, at, end);
    if (fragment === 'malformed') {
      this.counts.malformed += 1;
      return false;
    }
    if (fragment === 'whole') return this.#deliver(b, at, end);
    return this.#take(fragment, b, nowMs);
  }

  #deliver(b: Uint8Array, start: number, end: number): boolean {
    this.bytes = b;
    this.start = start;
    this.end = end;
    return true;
  }

  #take(fragment: Fragment, b: Uint8Array, nowMs: number): boolean {
    const datagram = this.#datagrams.get(fragment.key) ?? this.#begin(fragment.key, nowMs);
    if (datagram.condemned) {
      this.counts.late += 1;
      return false;
    }
    const octets = ownOctets(b, fragment.payloadAt, fragment.end);
    const fits = place(datagram, fragment, octets);
    if (fits === 'duplicate') {
      this.counts.duplicate += 1;
      return false;
    }
    if (fits === 'overlap') {
      this.counts.overlapping += 1;
      this.#empty(datagram);
      datagram.condemned = true;
      return false;
    }
    datagram.held += octets.length;
    this.#held += octets.length;
    if (fragment.from === 0) datagram.head = fragment.head();
    if (datagram.head !== undefined && datagram.held === datagram.total) {
      return this.#complete(datagram, datagram.head);
    }
    if (datagram.pieces.length === MAX_PIECES) this.#giveUp(datagram);
    while (this.#held > this.#limits.maxOctets) this.#giveUpOldest();
    return false;
  }

  #begin(key: string, bornMs: number): Datagram {
    const datagram: Datagram = {
      key,
      bornMs,
      pieces: [],
      held: 0,
      total: -1,
      head: undefined,
      condemned: false,
    };
    if (this.#datagrams.size >= this.#limits.maxDatagrams) this.#giveUpOldest();
    this.#datagrams.set(key, datagram);
    return datagram;
  }

  #complete(datagram: Datagram, head: Uint8Array): boolean {
    const whole = assemble(head, datagram);
    this.#remove(datagram);
    if (whole === undefined) {
      this.counts.malformed += 1;
      return false;
    }
    this.counts.reassembled += 1;
    return this.#deliver(whole, 0, whole.length);
  }

  #expire(nowMs: number): void {
    for (const datagram of this.#datagrams.values()) {
      if (nowMs - datagram.bornMs < this.#limits.maxAgeMs) return;
      this.#giveUp(datagram);
    }
  }

  #giveUpOldest(): void {
    for (const oldest of this.#datagrams.values()) {
      this.#giveUp(oldest);
      return;
    }
  }

  #giveUp(datagram: Datagram): void {
    if (!datagram.condemned) this.counts.incomplete += 1;
    this.#remove(datagram);
  }

  #remove(datagram: Datagram): void {
    this.#empty(datagram);
    this.#datagrams.delete(datagram.key);
  }

  #empty(datagram: Datagram): void {
    this.#held -= datagram.held;
    datagram.held = 0;
    datagram.pieces.length = 0;
  }
}

/** Puts a fragment in its place, unless it contradicts what is there. */
function place(
  datagram: Datagram,
  fragment: Fragment,
  octets: Uint8Array,
): 'placed' | 'duplicate' | 'overlap' {
  const { pieces } = datagram;
  const from = fragment.from;
  const end = from + octets.length;
  let i = pieces.length;
  while (i > 0 && (pieces[i - 1]?.from ?? 0) >= from) i -= 1;
  const same = pieces[i];
  if (same?.from === from && same.octets.length === octets.length) {
    const copyOfIt = equal(same.octets, 0, octets, 0, octets.length);
    const lastTwice = !fragment.more === (end === datagram.total);
    return copyOfIt && lastTwice ? 'duplicate' : 'overlap';
  }
  const before = pieces[i - 1];
  if (before !== undefined && before.from + before.octets.length > from) return 'overlap';
  if (same !== undefined && end > same.from) return 'overlap';
  if (!fragment.more && (datagram.total >= 0 || i < pieces.length)) return 'overlap';
  if (fragment.more && datagram.total >= 0 && end >= datagram.total) return 'overlap';
  if (!fragment.more) datagram.total = end;
  pieces.splice(i, 0, { from, octets });
  return 'placed';
}

/** The whole packet with its length and header checksum; undefined when IP cannot say the length. */
function assemble(head: Uint8Array, datagram: Datagram): Uint8Array | undefined {
  const four = u8(head, 0) >> 4 === 4;
  const length = head.length + datagram.total;
  const most = four ? ipv4.MAX_PACKET_LEN : ipv6.HEADER_LEN + ipv6.MAX_PAYLOAD_LEN;
  if (length > most) return undefined;
  const whole = new Uint8Array(length);
  whole.set(head);
  for (const { from, octets } of datagram.pieces) whole.set(octets, head.length + from);
  if (four) {
    ipv4.setTotalLength(whole, 0, length);
    ipv4.clearFragment(whole, 0);
    ipv4.setChecksum(whole, 0, ipv4.computedChecksum(whole, 0));
  } else {
    ipv6.setPayloadLength(whole, 0, length - ipv6.HEADER_LEN);
  }
  return whole;
}
