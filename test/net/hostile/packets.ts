/** UDP packets with any source and destination, as no honest system would send them. */
import { Buffer } from 'node:buffer';
import { type Endpoint, parseEndpoint } from '../../../wire/address.ts';
import { writeUdpPacket } from '../../../wire/build.ts';

const ROOM = 2_048;

export function udpPacket(source: Endpoint, destination: Endpoint, text: string): Uint8Array {
  const payload = Buffer.from(text);
  const out = new Uint8Array(ROOM);
  const n = writeUdpPacket(out, 0, source, destination, payload, 0, payload.length);
  return out.subarray(0, n);
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function endpoint(text: string): Endpoint {
  const value = parseEndpoint(text);
  if (value === undefined) throw new RangeError(`no endpoint: ${text}`);
  return value;
}
