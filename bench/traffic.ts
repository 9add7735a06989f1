/** The packets that the benches carry: seeded RTP of 172 octets, which makes 200 octets of IPv4. */
import { type Endpoint, parseEndpoint } from '../wire/address.ts';
import { writeUdpPacket } from '../wire/build.ts';
import { random } from './harness.ts';

export const PACKET_LEN = 200;
const RTP_LEN = 172;
/** 20 ms at 8 kHz. */
const TICKS = 160;

export const UE = endpoint('10.0.0.2:40000');
export const PUBLIC = endpoint('203.0.113.7:50000');
export const MEDIA = endpoint('198.51.100.9:30000');
/** TCP address of the tunnel's client. */
export const CLIENT = endpoint('192.0.2.10:51000');

export function uplinkPackets(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => packetOf(UE, MEDIA, i));
}

/** The RTP packet of that sequence number; its own memory. */
export function packetOf(source: Endpoint, destination: Endpoint, sequence = 0): Buffer {
  const next = random(source.port + sequence);
  const rtp = Buffer.from(Uint8Array.from({ length: RTP_LEN }, () => next(256)));
  rtp.writeUInt16BE(0x8000, 0);
  rtp.writeUInt16BE(sequence & 0xffff, 2);
  rtp.writeUInt32BE(sequence * TICKS, 4);
  rtp.writeUInt32BE(source.port, 8);
  const packet = Buffer.alloc(PACKET_LEN);
  writeUdpPacket(packet, 0, source, destination, rtp, 0, RTP_LEN);
  return packet;
}

function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}
