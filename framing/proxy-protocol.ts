/**
 * The PROXY protocol, versions 1 and 2: what a load balancer writes in front of a connection, so that
 * whoever accepts it learns the address of the real peer.
 *
 *   version 1   `PROXY TCP4 192.0.2.1 198.51.100.7 56324 80` CR LF
 *   version 2   0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A
 *               | version 2, command | family, transport | length (16) | addresses | TLVs …
 *
 * Anybody can write one: it is read only on connections from configured addresses, and there it has to
 * be the first thing (its specification, clause 2: "must not try to guess" whether one is there).
 * `UNKNOWN`, `LOCAL` and families that are none of IP say that the connection is the balancer's own,
 * as its health checks are: the peer is then who it seems to be.
 */
import { Buffer } from 'node:buffer';
import { type Endpoint, MAX_PORT, parseAddress } from '../wire/address.ts';
import { equal, octetsOf, setU8, setU16, u8, u16 } from '../wire/bytes.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';

export interface ProxyHeader {
  /** Octets that the header takes. */
  readonly length: number;
  /** Who connected to the balancer; undefined when the connection is the balancer's own. */
  readonly source: Endpoint | undefined;
}

/** Longest line of version 1, CR LF included (clause 2.1). */
const MAX_LINE_LEN = 107;
/** Longest header of version 2, ours: the clause asks for 216 octets of addresses and leaves TLVs open. */
export const MAX_PROXY_HEADER_LEN = 4096;

const LINE_START = Buffer.from('PROXY ', 'latin1');
const LINE = /^PROXY (?:UNKNOWN(?: .*)?|TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5}))$/;
const CR = 0x0d;
const LF = 0x0a;

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const OFF_COMMAND = 12;
const OFF_FAMILY = 13;
const OFF_LENGTH = 14;
const OFF_ADDRESSES = 16;
const COMMANDS = { LOCAL: 0x20, PROXY: 0x21 } as const;
/** Family and transport: only TCP can come over a TCP connection. */
const TCP4 = 0x11;
const TCP6 = 0x21;
const UNIX_STREAM = 0x31;
const UNSPECIFIED = 0x00;

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** Looks at [at, end), the start of a connection. */
export function readProxyHeader(
  b: Uint8Array,
  at: number,
  end: number,
): ProxyHeader | 'need-more' | Fault {
  if (end <= at) return 'need-more';
  return u8(b, at) === CR ? readBinary(b, at, end) : readLine(b, at, end);
}

/** Version 2, for a connection that is handed on inside one machine. Both of one family. */
export function encodeProxyHeader(source: Endpoint, destination: Endpoint): Uint8Array {
  if (source.family !== destination.family) throw new RangeError('two families in one connection');
  const n = source.address.length;
  const header = new Uint8Array(OFF_ADDRESSES + 2 * n + 4);
  header.set(SIGNATURE);
  setU8(header, OFF_COMMAND, COMMANDS.PROXY);
  setU8(header, OFF_FAMILY, source.family === 4 ? TCP4 : TCP6);
  setU16(header, OFF_LENGTH, 2 * n + 4);
  header.set(source.address, OFF_ADDRESSES);
  header.set(destination.address, OFF_ADDRESSES + n);
  setU16(header, OFF_ADDRESSES + 2 * n, source.port);
  setU16(header, OFF_ADDRESSES + 2 * n + 2, destination.port);
  return header;
}

function readLine(b: Uint8Array, at: number, end: number): ProxyHeader | 'need-more' | Fault {
  const there = Math.min(end - at, LINE_START.length);
  if (!equal(b, at, LINE_START, 0, there)) return FAULTS.PROXY_HEADER;
  const limit = Math.min(end, at + MAX_LINE_LEN);
  for (let i = at + there; i < limit; i++) {
    const octet = u8(b, i);
    if (octet === CR) return i + 1 < limit ? endLine(b, at, i) : moreOf(end - at, MAX_LINE_LEN);
    if (octet < 0x20 || octet > 0x7e) return FAULTS.PROXY_HEADER;
  }
  return moreOf(end - at, MAX_LINE_LEN);
}

function moreOf(there: number, most: number): 'need-more' | Fault {
  return there < most ? 'need-more' : FAULTS.PROXY_HEADER;
}

function endLine(b: Uint8Array, at: number, cr: number): ProxyHeader | Fault {
  if (u8(b, cr + 1) !== LF) return FAULTS.PROXY_HEADER;
  const found = LINE.exec(Buffer.from(b.subarray(at, cr)).toString('latin1'));
  if (found === null) return FAULTS.PROXY_HEADER;
  const length = cr + 2 - at;
  const [, family, from = '', to = '', port = '', toPort = ''] = found;
  if (family === undefined) return { length, source: undefined };
  const address = parseAddress(from);
  const addressLength = family === '4' ? 4 : 16;
  const right = address?.length === addressLength && parseAddress(to)?.length === addressLength;
  if (!right || !isPort(port) || !isPort(toPort)) return FAULTS.PROXY_HEADER;
  return { length, source: peer(address, Number(port)) };
}

function isPort(text: string): boolean {
  return String(Number(text)) === text && Number(text) <= MAX_PORT;
}

function readBinary(b: Uint8Array, at: number, end: number): ProxyHeader | 'need-more' | Fault {
  const there = end - at;
  if (!equal(b, at, SIGNATURE, 0, Math.min(there, SIGNATURE.length))) return FAULTS.PROXY_HEADER;
  if (there > OFF_COMMAND && !isCommand(u8(b, at + OFF_COMMAND))) return FAULTS.PROXY_HEADER;
  if (there < OFF_ADDRESSES) return 'need-more';
  const length = OFF_ADDRESSES + u16(b, at + OFF_LENGTH);
  const own = u8(b, at + OFF_COMMAND) === COMMANDS.LOCAL;
  const addressLength = own ? 0 : addressLengthOf(u8(b, at + OFF_FAMILY));
  if (addressLength < 0 || length > MAX_PROXY_HEADER_LEN) return FAULTS.PROXY_HEADER;
  if (addressLength > 0 && length < OFF_ADDRESSES + 2 * addressLength + 4) {
    return FAULTS.PROXY_HEADER;
  }
  if (there < length) return 'need-more';
  if (addressLength === 0) return { length, source: undefined };
  const addressAt = at + OFF_ADDRESSES;
  const port = u16(b, addressAt + 2 * addressLength);
  return { length, source: peer(octetsOf(b, addressAt, addressAt + addressLength), port) };
}

function isCommand(octet: number): boolean {
  return octet === COMMANDS.LOCAL || octet === COMMANDS.PROXY;
}

/** 0: no address of ours in it; negative: nothing that can stand in front of a TCP connection. */
function addressLengthOf(family: number): number {
  switch (family) {
    case TCP4:
      return 4;
    case TCP6:
      return 16;
    case UNSPECIFIED:
    case UNIX_STREAM:
      return 0;
    default:
      return -1;
  }
}

/** An IPv4 address in its IPv6 dress is the IPv4 address, as everywhere here. */
function peer(address: Uint8Array, port: number): Endpoint {
  const mapped = address.length === 16 && equal(address, 0, MAPPED, 0, MAPPED.length);
  if (mapped) return { family: 4, address: octetsOf(address, MAPPED.length, 16), port };
  return { family: address.length === 4 ? 4 : 6, address, port };
}
