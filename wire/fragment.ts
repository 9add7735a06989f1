/**
 * One IP fragment: what it is a piece of and where its parts lie, the same for IPv4 (RFC 791) and IPv6
 * (RFC 8200 section 4.5). Not on the data path of a tunnel, which refuses fragments.
 */
import { setU8, u8 } from './bytes.ts';
import * as ipv4 from './ipv4.ts';
import * as ipv6 from './ipv6.ts';

/** Offsets are into the buffer that `readFragment` was given. */
export interface Fragment {
  /** The same for all fragments of a datagram and for no others. */
  readonly key: string;
  /** Place of the piece in the payload of the datagram, in octets. */
  readonly from: number;
  readonly more: boolean;
  readonly payloadAt: number;
  readonly end: number;
  /** Makes the head of the whole packet; to ask for the first fragment only, while the buffer is unchanged. */
  readonly head: () => Uint8Array;
}

export function readFragment(
  b: Uint8Array,
  at: number,
  end: number,
): Fragment | 'whole' | 'malformed' {
  if (end - at < 1) return 'malformed';
  return u8(b, at) >> 4 === 4 ? readFragment4(b, at, end) : readFragment6(b, at, end);
}

function readFragment4(b: Uint8Array, at: number, end: number): Fragment | 'whole' | 'malformed' {
  if (ipv4.check(b, at, end) !== 0) return 'malformed';
  if (!ipv4.isFragment(b, at)) return 'whole';
  const header = ipv4.headerLength(b, at);
  const addresses = octetsKey(b, at + ipv4.OFF_SOURCE, 2 * ipv4.ADDRESS_LEN);
  return checkedFragment({
    key: `4 ${addresses} ${ipv4.protocol(b, at)} ${ipv4.identification(b, at)}`,
    from: ipv4.fragmentOffset(b, at),
    more: ipv4.moreFragments(b, at),
    payloadAt: at + header,
    end: at + ipv4.totalLength(b, at),
    head: () => ownOctets(b, at, at + header),
  });
}

function readFragment6(b: Uint8Array, at: number, end: number): Fragment | 'whole' | 'malformed' {
  if (ipv6.check(b, at, end) !== 0) return 'malformed';
  const packetEnd = at + ipv6.HEADER_LEN + ipv6.payloadLength(b, at);
  const walked = ipv6.walk(b, at, packetEnd, at + ipv6.HEADER_LEN, ipv6.nextHeader(b, at));
  if (walked < 0) return 'malformed';
  if (ipv6.walkedKind(walked) !== ipv6.NEXT_FRAGMENT) return 'whole';
  const fragmentAt = at + ipv6.walkedOffset(walked);
  const addresses = octetsKey(b, at + ipv6.OFF_SOURCE, 2 * ipv6.ADDRESS_LEN);
  return checkedFragment({
    key: `6 ${addresses} ${octetsKey(b, ipv6.fragmentIdAt(fragmentAt), 4)}`,
    from: ipv6.fragmentOffset(b, fragmentAt),
    more: ipv6.moreFragments(b, fragmentAt),
    payloadAt: fragmentAt + ipv6.FRAGMENT_HEADER_LEN,
    end: packetEnd,
    head: () => head6(b, at, fragmentAt),
  });
}

/** All but the last fragment carry a multiple of 8 octets, none is empty, none ends beyond 65,535. */
function checkedFragment(fragment: Fragment): Fragment | 'malformed' {
  const length = fragment.end - fragment.payloadAt;
  const legal = length > 0 && (!fragment.more || length % 8 === 0);
  return legal && fragment.from + length <= ipv4.MAX_PACKET_LEN ? fragment : 'malformed';
}

/** A copy; `slice` would not be one when `b` is a Buffer. */
export function ownOctets(b: Uint8Array, at: number, end: number): Uint8Array {
  return new Uint8Array(b.subarray(at, end));
}

/** Octets as text: a key that two different values never share. */
function octetsKey(b: Uint8Array, at: number, length: number): string {
  let key = '';
  for (let i = 0; i < length; i++) key += String.fromCharCode(u8(b, at + i));
  return key;
}

/** The unfragmentable part; its last next-header field takes over what the fragment header said. */
function head6(b: Uint8Array, at: number, fragmentAt: number): Uint8Array {
  const head = ownOctets(b, at, fragmentAt);
  let kindAt = ipv6.OFF_NEXT_HEADER;
  let i = ipv6.HEADER_LEN;
  while (i < head.length) {
    const next = i + ipv6.extensionLength(head, i, u8(head, kindAt));
    kindAt = i;
    i = next;
  }
  setU8(head, kindAt, u8(b, fragmentAt));
  return head;
}
