/** RTP packets of which every octet is known: the payload follows from stream and number. */
import { Buffer } from 'node:buffer';

export const PACKET_LEN = 172;
const HEADER_LEN = 12;
const SAMPLES = 160;

/** Packet `n` of a stream, G.711 as RFC 3551 has it. */
export function rtpPacket(ssrc: number, n: number): Buffer {
  const b = Buffer.alloc(PACKET_LEN);
  b.writeUInt8(0x80, 0);
  b.writeUInt16BE(n & 0xffff, 2);
  b.writeUInt32BE((n * SAMPLES) >>> 0, 4);
  b.writeUInt32BE(ssrc, 8);
  for (let i = HEADER_LEN; i < PACKET_LEN; i++) b[i] = (ssrc * 31 + n * 7 + i * 13) & 0xff;
  return b;
}

/** Stream and number of a packet; undefined when it is none of these, or changed. */
export function readRtpPacket(b: Buffer): { ssrc: number; n: number } | undefined {
  if (b.length !== PACKET_LEN) return undefined;
  const ssrc = b.readUInt32BE(8);
  const n = b.readUInt16BE(2);
  return rtpPacket(ssrc, n).equals(b) ? { ssrc, n } : undefined;
}
