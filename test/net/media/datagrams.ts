/** The UDP datagrams of a capture, in order. */
import { createHash } from 'node:crypto';
import { ipOffset, NOT_IP } from '../../../io/pcap/link-types.ts';
import { captureFaultText, readCapture } from '../../../io/pcap/read.ts';
import { formatAddress } from '../../../wire/address.ts';
import { PacketView, readPacket } from '../../../wire/packet.ts';
import * as udp from '../../../wire/udp.ts';

export interface Datagram {
  /** `ADDRESS PORT`. */
  readonly from: string;
  readonly to: string;
  /** Length and hash of the payload: two that are equal are the same packet. */
  readonly payload: string;
  readonly length: number;
}

/** Throws when the capture is not whole. */
export async function datagramsOf(file: string): Promise<Datagram[]> {
  const found: Datagram[] = [];
  const view = new PacketView();
  const capture = readCapture(file);
  for await (const batch of capture) {
    for (const { linkType, b, at, end } of batch) {
      const ip = ipOffset(linkType, b, at, end);
      if (ip === NOT_IP || readPacket(view, b, ip, end) !== 0) continue;
      if (view.protocol === udp.PROTOCOL) found.push(datagram(view, b));
    }
  }
  if (capture.fault !== undefined) throw new Error(captureFaultText(capture.fault));
  return found;
}

function datagram(view: PacketView, b: Uint8Array): Datagram {
  const { payload, payloadEnd, addressLength, sourceAt, destinationAt } = view;
  const hash = createHash('sha1').update(b.subarray(payload, payloadEnd)).digest('base64');
  return {
    from: `${formatAddress(b, sourceAt, addressLength)} ${view.sourcePort}`,
    to: `${formatAddress(b, destinationAt, addressLength)} ${view.destinationPort}`,
    payload: `${payloadEnd - payload} ${hash}`,
    length: payloadEnd - payload,
  };
}
