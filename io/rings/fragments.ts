/**
 * Puts together what routers before this host took apart: an agent wants whole packets. Programs on this
 * host send none in pieces, for the interface takes them up to the longest.
 */

import { u8 } from '../../wire/bytes.ts';
import { Defragmenter } from '../../wire/defragment.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { now } from '../clock.ts';
import type { PacketReceiver, PortCounts } from '../packet-port.ts';

/** Media that is older is of no use; the rest bounds what somebody can make us hold. */
const LIMITS = { maxDatagrams: 256, maxOctets: 4_194_304, maxAgeMs: 2_000 };

/** A receiver for packets and pieces, which gives whole packets to `receive` and counts them. */
export function joining(receive: PacketReceiver, counts: PortCounts): PacketReceiver {
  const pieces = new Defragmenter(LIMITS);
  let lost = 0;
  return (b, at, end) => {
    if (!isPiece(b, at, end)) {
      counts.received += 1;
      receive(b, at, end);
      return;
    }
    const isWhole = pieces.push(b, at, end, now());
    const { incomplete, malformed, overlapping } = pieces.counts;
    const lostNow = incomplete + malformed + overlapping;
    if (lostNow > lost) counts.drop('incomplete', lostNow - lost);
    lost = lostNow;
    if (!isWhole) return;
    counts.received += 1;
    receive(pieces.bytes, pieces.start, pieces.end);
  };
}

/** IPv6 senders put the fragment header first (RFC 8200 section 4.1), but for options for routers. */
function isPiece(b: Uint8Array, at: number, end: number): boolean {
  if (end - at < ipv4.MIN_HEADER_LEN) return false;
  if (u8(b, at) >> 4 === 4) return ipv4.isFragment(b, at);
  return end - at >= ipv6.HEADER_LEN && ipv6.nextHeader(b, at) === ipv6.NEXT_FRAGMENT;
}
