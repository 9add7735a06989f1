/**
 * Records of TLS no longer than a segment of TCP. Nothing of a record can be read before all of it is there:
 * in one of 16 KiB, the usual length, a packet would wait for eleven segments behind it, and for each of them
 * that is lost.
 */
import type { TLSSocket } from 'node:tls';

/**
 * A segment over IPv6 with time stamps takes 1,428 octets of an Ethernet frame; the dearest of our suites, CBC
 * with SHA-256 in TLS 1.2, adds 69 to a record.
 */
export const MAX_RECORD_LEN = 1_350;

/** From now on; of a stream that is closed already there are none. */
export function keepRecordsShort(stream: TLSSocket): void {
  stream.setMaxSendFragment(MAX_RECORD_LEN);
}
