/**
 * Whether a packet may become a record: the other end takes an IPv4 header with a wrong checksum for
 * the end of the stream (tep-wire 2), so one bad packet of a host must not get that far.
 */
import * as ipv4 from '../wire/ipv4.ts';
import type { PacketView } from '../wire/packet.ts';

export function headerSumRight(b: Uint8Array, view: PacketView): boolean {
  return view.version === 6 || ipv4.checksumRight(b, view.start);
}
