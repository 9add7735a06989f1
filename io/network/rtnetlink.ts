/**
 * Messages of the kernel about links, addresses and routes (rtnetlink(7)), as far as they concern how
 * this machine reaches others. Numbers are in the order of octets of the machine.
 *
 *     | length 4 | type 2 | flags 2 | sequence 4 | port 4 | fixed part | attributes: length 2, type 2, … |
 */
import { endianness } from 'node:os';
import { formatAddress } from '../../wire/address.ts';

/** `no-carrier`: switched on, and the cable is out or no network is joined. */
export type LinkState = 'up' | 'no-carrier' | 'down';

export type NetworkEvent =
  | {
      readonly type: 'link';
      readonly index: number;
      readonly name: string;
      readonly link: LinkState;
    }
  | { readonly type: 'link-gone'; readonly index: number }
  | { readonly type: 'address' | 'address-gone'; readonly index: number; readonly address: string }
  /** A default route; `replaces`: in place of those with the same family and metric. */
  | {
      readonly type: 'route' | 'route-gone';
      readonly index: number;
      readonly family: number;
      readonly metric: number;
      readonly hop: string;
      readonly replaces: boolean;
    }
  /** All that was asked for has been told. */
  | { readonly type: 'done' };

/** What `askFor` takes: everything of one kind that there is. */
export const ASK = { links: 18, addresses: 22, routes: 26 } as const;

const LITTLE_ENDIAN = endianness() === 'LE';
const HEADER_LEN = 16;
const ATTRIBUTE_HEADER_LEN = 4;
const DONE = 3;
const NEW_LINK = 16;
const DEL_LINK = 17;
const NEW_ADDRESS = 20;
const DEL_ADDRESS = 21;
const NEW_ROUTE = 24;
const DEL_ROUTE = 25;

const LINK_LEN = 16;
const ADDRESS_LEN = 8;
const ROUTE_LEN = 12;

const FLAG_REPLACE = 0x100;
const FLAGS_REQUEST_DUMP = 0x301;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const IFA_F_TENTATIVE = 0x40;
const SCOPE_LINK = 253;
const TABLE_MAIN = 254;
const TYPE_UNICAST = 1;

const IFLA_IFNAME = 3;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_MULTIPATH = 9;
const RTA_TABLE = 15;
const RTA_VIA = 18;

type Attributes = ReadonlyMap<number, Uint8Array>;

/** A request for all that there is of a kind. */
export function askFor(what: (typeof ASK)[keyof typeof ASK]): Uint8Array {
  const b = new Uint8Array(HEADER_LEN + LINK_LEN);
  const view = new DataView(b.buffer);
  view.setUint32(0, b.length, LITTLE_ENDIAN);
  view.setUint16(4, what, LITTLE_ENDIAN);
  view.setUint16(6, FLAGS_REQUEST_DUMP, LITTLE_ENDIAN);
  return b;
}

/** The events in one datagram; a message that is cut off ends the reading. */
export function readEvents(b: Uint8Array): NetworkEvent[] {
  const view = new DataView(b.buffer, b.byteOffset, b.length);
  const events: NetworkEvent[] = [];
  for (let at = 0; at + HEADER_LEN <= b.length; ) {
    const length = view.getUint32(at, LITTLE_ENDIAN);
    if (length < HEADER_LEN || at + length > b.length) break;
    const event = readMessage(new DataView(view.buffer, view.byteOffset + at, length));
    if (event !== undefined) events.push(event);
    at += aligned(length);
  }
  return events;
}

function readMessage(view: DataView): NetworkEvent | undefined {
  const type = view.getUint16(4, LITTLE_ENDIAN);
  switch (type) {
    case DONE:
      return { type: 'done' };
    case NEW_LINK:
    case DEL_LINK:
      return readLink(view, type === DEL_LINK);
    case NEW_ADDRESS:
    case DEL_ADDRESS:
      return readAddress(view, type === DEL_ADDRESS);
    case NEW_ROUTE:
    case DEL_ROUTE:
      return readRoute(view, type === DEL_ROUTE);
    default:
      return undefined;
  }
}

/** struct ifinfomsg: family 1, pad 1, type 2, index 4, flags 4, change 4. */
function readLink(view: DataView, isGone: boolean): NetworkEvent | undefined {
  const attributes = attributesOf(view, LINK_LEN);
  // A bridge tells the same links once more, as its ports.
  if (attributes === undefined || view.getUint8(HEADER_LEN) !== 0) return undefined;
  const index = view.getInt32(HEADER_LEN + 4, LITTLE_ENDIAN);
  if (isGone) return { type: 'link-gone', index };
  const link = linkState(view.getUint32(HEADER_LEN + 8, LITTLE_ENDIAN));
  return { type: 'link', index, name: textOf(attributes.get(IFLA_IFNAME)), link };
}

function linkState(flags: number): LinkState {
  if ((flags & IFF_UP) === 0) return 'down';
  return (flags & IFF_RUNNING) === 0 ? 'no-carrier' : 'up';
}

/** struct ifaddrmsg: family 1, prefix length 1, flags 1, scope 1, index 4. */
function readAddress(view: DataView, isGone: boolean): NetworkEvent | undefined {
  const attributes = attributesOf(view, ADDRESS_LEN);
  // IFA_ADDRESS is the other end of a point-to-point link where both are there.
  const octets = attributes?.get(IFA_LOCAL) ?? attributes?.get(IFA_ADDRESS);
  if (octets === undefined || (octets.length !== 4 && octets.length !== 16)) return undefined;
  const flags = view.getUint8(HEADER_LEN + 2);
  const isTentative = (flags & IFA_F_TENTATIVE) !== 0 && !isGone;
  // Addresses of the link and of the machine itself reach no server.
  if (isTentative || view.getUint8(HEADER_LEN + 3) >= SCOPE_LINK) return undefined;
  const index = view.getUint32(HEADER_LEN + 4, LITTLE_ENDIAN);
  const address = formatAddress(octets, 0, octets.length);
  return { type: isGone ? 'address-gone' : 'address', index, address };
}

/** struct rtmsg: family 1, lengths of destination and source 1 + 1, tos 1, table 1, protocol 1, scope 1, type 1, flags 4. */
function readRoute(view: DataView, isGone: boolean): NetworkEvent | undefined {
  const attributes = attributesOf(view, ROUTE_LEN);
  if (attributes === undefined) return undefined;
  const [family = 0, length, , , table = 0, , , kind] = octetsOf(view, HEADER_LEN, ROUTE_LEN);
  const inTable = numberOf(attributes.get(RTA_TABLE)) ?? table;
  if (length !== 0 || inTable !== TABLE_MAIN || kind !== TYPE_UNICAST) return undefined;
  const hops = [RTA_GATEWAY, RTA_VIA, RTA_MULTIPATH].map((name) => hex(attributes.get(name)));
  const index = numberOf(attributes.get(RTA_OIF)) ?? 0;
  return {
    type: isGone ? 'route-gone' : 'route',
    index,
    family,
    metric: numberOf(attributes.get(RTA_PRIORITY)) ?? 0,
    hop: `${hops.join('/')}@${index}`,
    replaces: (view.getUint16(6, LITTLE_ENDIAN) & FLAG_REPLACE) !== 0,
  };
}

/** By type; undefined when the message is too short for its fixed part. */
function attributesOf(view: DataView, fixedLength: number): Attributes | undefined {
  if (view.byteLength < HEADER_LEN + fixedLength) return undefined;
  const attributes = new Map<number, Uint8Array>();
  for (let at = HEADER_LEN + fixedLength; at + ATTRIBUTE_HEADER_LEN <= view.byteLength; ) {
    const length = view.getUint16(at, LITTLE_ENDIAN);
    if (length < ATTRIBUTE_HEADER_LEN || at + length > view.byteLength) break;
    const value = octetsOf(view, at + ATTRIBUTE_HEADER_LEN, length - ATTRIBUTE_HEADER_LEN);
    attributes.set(view.getUint16(at + 2, LITTLE_ENDIAN), value);
    at += aligned(length);
  }
  return attributes;
}

function octetsOf(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}

function numberOf(value: Uint8Array | undefined): number | undefined {
  if (value?.length !== 4) return undefined;
  return new DataView(value.buffer, value.byteOffset).getUint32(0, LITTLE_ENDIAN);
}

/** Without the zero octet at its end. */
function textOf(value: Uint8Array | undefined): string {
  return Buffer.from(value ?? [])
    .toString('latin1')
    .replace(/\0.*$/s, '');
}

function hex(value: Uint8Array | undefined): string {
  return Buffer.from(value ?? []).toString('hex');
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
