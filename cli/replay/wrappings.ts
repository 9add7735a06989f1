/**
 * What a replay does not look into: tunnels of other kinds around the packets of a UE. They are named,
 * so that nobody wonders why a capture full of calls has no media.
 */
import { etherType, ipOffset, LINK_TYPES, NOT_IP } from '../../io/pcap/link-types.ts';
import { u8 } from '../../wire/bytes.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import type { Flow } from './flows.ts';

const BY_ETHERTYPE: ReadonlyMap<number, string> = new Map([
  [0x8847, 'MPLS'],
  [0x8848, 'MPLS'],
  [0x8864, 'PPPoE'],
]);

const BY_PROTOCOL: ReadonlyMap<number, string> = new Map([
  [4, 'IP in IP'],
  [41, 'IPv6 in IP'],
  [47, 'GRE'],
  [50, 'ESP'],
]);

const BY_UDP_PORT: ReadonlyMap<number, string> = new Map([
  [2152, 'GTP-U'],
  [4789, 'VXLAN'],
]);

/** What a frame is wrapped in that held no UDP, TCP or ICMP error to be read. */
export function wrappingOf(
  linkType: number,
  b: Uint8Array,
  at: number,
  end: number,
): string | undefined {
  const offset = ipOffset(linkType, b, at, end);
  if (offset === NOT_IP) {
    return linkType === LINK_TYPES.ETHERNET ? BY_ETHERTYPE.get(etherType(b, at, end)) : undefined;
  }
  const four = u8(b, offset) >> 4 === 4;
  if (end - offset < (four ? ipv4.MIN_HEADER_LEN : ipv6.HEADER_LEN)) return undefined;
  return BY_PROTOCOL.get(four ? ipv4.protocol(b, offset) : ipv6.nextHeader(b, offset));
}

/** What a flow is the outside of, by the ports of its ends. */
export function wrappingOfFlow({ ends, protocol }: Flow): string | undefined {
  if (protocol !== 17) return undefined;
  return BY_UDP_PORT.get(ends[0].port) ?? BY_UDP_PORT.get(ends[1].port);
}
