/** The UDP datagrams of a capture, in order. */
import { ipOffset, NOT_IP } from '../io/pcap/link-types.ts';
import { captureFaultText, readCapture } from '../io/pcap/read.ts';
import { formatAddress } from '../wire/address.ts';
import { FAULTS } from '../wire/faults.ts';
import { PacketView, readPacket } from '../wire/packet.ts';
import * as udp from '../wire/udp.ts';
import { LabError } from './lab-error.ts';
import type { Place } from './place.ts';

export interface Datagram {
  /** Since 1970. */
  readonly timeMs: number;
  readonly from: Place;
  readonly to: Place;
  /** The payload is [at, end) of `b`, valid until the next datagram is asked for. */
  readonly b: Uint8Array;
  readonly at: number;
  readonly end: number;
}

/**
 * Throws LabError when the capture is not whole, after all that it has. What Kamailio writes down by itself has no
 * checksums, which over IPv6 is wrong on a wire: `unsummed` takes it.
 */
export async function* datagramsIn(
  file: string,
  { unsummed = false } = {},
): AsyncGenerator<Datagram> {
  const view = new PacketView();
  const capture = readCapture(file);
  for await (const batch of capture) {
    for (const { linkType, b, at, end, seconds, nanoseconds } of batch) {
      const ip = ipOffset(linkType, b, at, end);
      if (ip === NOT_IP) continue;
      const fault = readPacket(view, b, ip, end);
      if (fault !== 0 && !(unsummed && fault === FAULTS.UDP_CHECKSUM_ABSENT)) continue;
      if (view.protocol !== udp.PROTOCOL) continue;
      const { addressLength: length, payload, payloadEnd } = view;
      yield {
        timeMs: seconds * 1_000 + nanoseconds / 1e6,
        from: { address: formatAddress(b, view.sourceAt, length), port: view.sourcePort },
        to: { address: formatAddress(b, view.destinationAt, length), port: view.destinationPort },
        b,
        at: payload,
        end: payloadEnd,
      };
    }
  }
  if (capture.fault !== undefined) throw new LabError(captureFaultText(capture.fault));
}
