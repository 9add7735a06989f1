/** Flows of a phone at a TEP-C that makes bindings by first packets. */
import { Buffer } from 'node:buffer';
import type { ClientOptions } from '../../session/options.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { parsePrefix } from '../../wire/prefix.ts';
import { checksumsRight } from '../../wire/rewrite.ts';
import { hex, ipPacket } from '../wire/packets.ts';
import { Direct, type DirectOptions, endpoint, type Packet, udpPacket } from './direct.ts';

export const CORE = endpoint('198.51.100.9:30000');
export const CORE6 = endpoint('[2001:db8:c::9]:30000');
export const UE = endpoint('10.0.0.5:16400');
export const UE6 = endpoint('[fd00::5]:16400');

/** What TEP-C tunnels: the media ports of the core's networks, UDP and TCP. */
export const TO = ['198.51.100.0/24', '2001:db8:c::/48'].flatMap((text) => {
  const prefix = parsePrefix(text);
  return prefix ? [{ prefix, ports: { first: 30_000, last: 39_999 } }] : [];
});

export function newDirect({ client, ...options }: DirectOptions = {}): Direct {
  const firstPacket: ClientOptions['firstPacket'] = { to: TO };
  return new Direct({ ...options, client: { firstPacket, ...client } });
}

/** From a Buffer that is used again at once: nothing may be kept of it. */
export function give(d: Direct, octets: Uint8Array): number {
  const b = Buffer.concat([Buffer.alloc(7, 0xa5), octets, Buffer.alloc(7, 0xa5)]);
  const fault = d.client.packet(b, 7, 7 + octets.length, d.now);
  b.fill(0xa5);
  return fault;
}

export function say(d: Direct, from: Endpoint, to = CORE, length = 40): number {
  const fault = give(d, udpPacket(from, to, length));
  d.run();
  return fault;
}

export function sourcesAtCore(packets: readonly Packet[]): string[] {
  const view = new PacketView();
  return packets.map(({ octets }) => {
    const fault = readPacket(view, octets, 0, octets.length) || checksumsRight(octets, view);
    if (fault !== 0) throw new RangeError(`fault ${fault}`);
    const address = octets.slice(view.sourceAt, view.sourceAt + view.addressLength);
    return formatEndpoint({ family: view.version, address, port: view.sourcePort });
  });
}

/** From the UE's MSRP port, with these flags. */
export function segment(flags: string): Uint8Array {
  return ipPacket(UE.address, CORE.address, 6, tcpHeader(2855, CORE.port, flags));
}

/** Without a checksum: it is changed by the difference and not looked at. */
export function tcpHeader(source: number, destination: number, flags: string): Uint8Array {
  const ports = [source >> 8, source & 0xff, destination >> 8, destination & 0xff];
  return Uint8Array.from([...ports, ...hex(`01020304 05060708 50${flags} faf0 0000 0000`)]);
}
