/**
 * Link headers of captures: where in a captured frame does the IP packet begin? LINKTYPE_ numbers
 * and layouts as the tcpdump.org list has them. Pure functions over (octets, offset).
 *
 *   Ethernet   destination(6) source(6) [tag(2) VLAN(2)]… EtherType(2)
 *   SLL        packet type(2) ARPHRD(2) address length(2) address(8) protocol(2)
 *   SLL2       protocol(2) reserved(2) interface(4) ARPHRD(2) packet type(1) length(1) address(8)
 *   null/loop  address family(4), in the byte order of the host / of the network
 *   raw        nothing
 */
import { u8, u16, u32 } from '../../wire/bytes.ts';

export const LINK_TYPES = {
  NULL: 0,
  ETHERNET: 1,
  RAW_OPENBSD: 12,
  RAW_OLD: 14,
  RAW: 101,
  LOOP: 108,
  LINUX_SLL: 113,
  IPV4: 228,
  IPV6: 229,
  LINUX_SLL2: 276,
} as const;

/** The frame carries no IP packet, or is too short to tell. */
export const NOT_IP = -1;

/** What the capturing host says about a frame. */
export const DIRECTIONS = { UNKNOWN: 0, RECEIVED: 1, SENT: 2 } as const;
export type Direction = (typeof DIRECTIONS)[keyof typeof DIRECTIONS];

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** 802.1Q, 802.1ad, and the tags that old switches used before 802.1ad. */
const VLAN_TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100, 0x9200]);
const VLAN_TAG_LEN = 4;
/** Stacked tags followed; real networks use two. */
const MAX_VLAN_TAGS = 4;

const ETHERNET_TYPE_OFF = 12;
const SLL_LEN = 16;
const SLL_PROTOCOL_OFF = 14;
const SLL2_LEN = 20;
const SLL2_PACKET_TYPE_OFF = 10;
const SLL_OUTGOING = 4;

const NULL_LEN = 4;
const AF_INET = 2;
/** AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS: the file does not say which host it was. */
const AF_INET6: ReadonlySet<number> = new Set([10, 24, 28, 30]);

const KNOWN: ReadonlySet<number> = new Set(Object.values(LINK_TYPES));

export function linkTypeKnown(linkType: number): boolean {
  return KNOWN.has(linkType);
}

/** Offset of the IP packet in the frame [at, end), or NOT_IP. At least one octet of it is there. */
export function ipOffset(linkType: number, b: Uint8Array, at: number, end: number): number {
  const offset = payloadOffset(linkType, b, at, end);
  if (offset === NOT_IP || offset >= end) return NOT_IP;
  const version = u8(b, offset) >>> 4;
  return version === 4 || version === 6 ? offset : NOT_IP;
}

/** Whether the capturing host sent or received this frame: only Linux cooked headers tell. */
export function direction(linkType: number, b: Uint8Array, at: number, end: number): Direction {
  if (linkType === LINK_TYPES.LINUX_SLL && end - at >= SLL_LEN) {
    return u16(b, at) === SLL_OUTGOING ? DIRECTIONS.SENT : DIRECTIONS.RECEIVED;
  }
  if (linkType === LINK_TYPES.LINUX_SLL2 && end - at >= SLL2_LEN) {
    return u8(b, at + SLL2_PACKET_TYPE_OFF) === SLL_OUTGOING
      ? DIRECTIONS.SENT
      : DIRECTIONS.RECEIVED;
  }
  return DIRECTIONS.UNKNOWN;
}

function payloadOffset(linkType: number, b: Uint8Array, at: number, end: number): number {
  switch (linkType) {
    case LINK_TYPES.ETHERNET:
      return behindEtherType(b, at + ETHERNET_TYPE_OFF, end);
    case LINK_TYPES.LINUX_SLL:
      return behindEtherType(b, at + SLL_PROTOCOL_OFF, end);
    case LINK_TYPES.LINUX_SLL2:
      return behindSll2(b, at, end);
    case LINK_TYPES.RAW:
    case LINK_TYPES.RAW_OPENBSD:
    case LINK_TYPES.RAW_OLD:
    case LINK_TYPES.IPV4:
    case LINK_TYPES.IPV6:
      return at;
    case LINK_TYPES.NULL:
    case LINK_TYPES.LOOP:
      return behindFamily(b, at, end);
    default:
      return NOT_IP;
  }
}

/** The EtherType of an Ethernet frame behind its VLAN tags; 0 when the frame ends before it. */
export function etherType(b: Uint8Array, at: number, end: number): number {
  for (let tags = 0; tags <= MAX_VLAN_TAGS; tags++) {
    const from = at + ETHERNET_TYPE_OFF + tags * VLAN_TAG_LEN;
    if (end - from < 2) return 0;
    const type = u16(b, from);
    if (!VLAN_TAGS.has(type)) return type;
  }
  return 0;
}

/** `typeAt` is where an EtherType stands; VLAN tags before the last one are passed over. */
function behindEtherType(b: Uint8Array, typeAt: number, end: number): number {
  for (let tags = 0; tags <= MAX_VLAN_TAGS; tags++) {
    const from = typeAt + tags * VLAN_TAG_LEN;
    if (end - from < 2) return NOT_IP;
    const type = u16(b, from);
    if (isIp(type)) return from + 2;
    if (!VLAN_TAGS.has(type)) return NOT_IP;
  }
  return NOT_IP;
}

/** The protocol is the first field here, and a VLAN tag's own type stands behind the header. */
function behindSll2(b: Uint8Array, at: number, end: number): number {
  if (end - at < SLL2_LEN) return NOT_IP;
  const protocol = u16(b, at);
  if (isIp(protocol)) return at + SLL2_LEN;
  return VLAN_TAGS.has(protocol) ? behindEtherType(b, at + SLL2_LEN + 2, end) : NOT_IP;
}

function isIp(etherType: number): boolean {
  return etherType === ETHERTYPE_IPV4 || etherType === ETHERTYPE_IPV6;
}

/** A family number is small, so its byte order shows in which half of the field it stands. */
function behindFamily(b: Uint8Array, at: number, end: number): number {
  if (end - at < NULL_LEN) return NOT_IP;
  const field = u32(b, at);
  const family = field > 0xffff ? field >>> 24 : field;
  return family === AF_INET || AF_INET6.has(family) ? at + NULL_LEN : NOT_IP;
}
