/**
 * IP addresses as text. Reading is strict: IPv4 in four decimal numbers without leading zeros (some
 * readers take those for octal, RFC 6943 section 3.1.1), IPv6 by RFC 4291 section 2.2 without zone and
 * brackets. Writing follows RFC 5952.
 */
import { equal, setU16, u8, u16 } from './bytes.ts';

export type Family = 4 | 6;

/** A transport address. The octets of `address` (4 or 16) belong to the endpoint; nobody writes them. */
export interface Endpoint {
  readonly family: Family;
  readonly address: Uint8Array;
  readonly port: number;
}

const GROUPS = 8;
const MAX_ADDRESS_TEXT_LEN = 45;
export const MAX_PORT = 0xffff;
const DECIMAL_OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const DECIMAL_PORT = /^(?:0|[1-9][0-9]{0,4})$/;
const HEX_GROUP = /^[0-9a-fA-F]{1,4}$/;
const ENDPOINT = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]+)$/;

/** Four or sixteen octets; undefined when the text is not exactly one address. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (text.length > MAX_ADDRESS_TEXT_LEN) return undefined;
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** RFC 5952. `length` is 4 or 16. */
export function formatAddress(b: Uint8Array, at: number, length: number): string {
  if (length === 4) return formatIpv4(b, at);
  if (length === 16) return formatIpv6(b, at);
  throw new RangeError('an address has 4 or 16 octets');
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const found = ENDPOINT.exec(text);
  if (found === null) return undefined;
  const [, six, four, portText = ''] = found;
  const address = six === undefined ? parseIpv4(four ?? '') : parseIpv6(six);
  const port = Number(portText);
  if (address === undefined || !DECIMAL_PORT.test(portText) || port > MAX_PORT) return undefined;
  return { family: six === undefined ? 4 : 6, address, port };
}

export function formatEndpoint(endpoint: Endpoint): string {
  const text = formatAddress(endpoint.address, 0, endpoint.address.length);
  return endpoint.family === 6 ? `[${text}]:${endpoint.port}` : `${text}:${endpoint.port}`;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  const n = a.address.length;
  return a.port === b.port && n === b.address.length && equal(a.address, 0, b.address, 0, n);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.', 5);
  const legal = parts.length === 4 && parts.every((p) => DECIMAL_OCTET.test(p) && Number(p) <= 255);
  return legal ? Uint8Array.from(parts, Number) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::', 3);
  if (halves.length > 2) return undefined;
  const [headText = '', tailText] = halves;
  const isLast = tailText === undefined;
  const head = parseGroups(headText, isLast);
  const tail = isLast ? [] : parseGroups(tailText, true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = GROUPS - head.length - tail.length;
  // `::` stands for at least one group; without it none may be missing.
  if (isLast ? missing !== 0 : missing < 1) return undefined;
  const address = new Uint8Array(2 * GROUPS);
  head.forEach((group, i) => {
    setU16(address, 2 * i, group);
  });
  tail.forEach((group, i) => {
    setU16(address, 2 * (head.length + missing + i), group);
  });
  return address;
}

/** 16-bit groups; a dotted IPv4 address may stand for the last two of the whole address. */
function parseGroups(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':', GROUPS + 1);
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (HEX_GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const dotted = mayEndDotted && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (dotted === undefined) return undefined;
    groups.push(u16(dotted, 0), u16(dotted, 2));
  }
  return groups;
}

function formatIpv4(b: Uint8Array, at: number): string {
  return `${u8(b, at)}.${u8(b, at + 1)}.${u8(b, at + 2)}.${u8(b, at + 3)}`;
}

function formatIpv6(b: Uint8Array, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < GROUPS; i++) groups.push(u16(b, at + 2 * i));
  const dotted = holdsIpv4(groups) ? formatIpv4(b, at + 12) : undefined;
  if (dotted !== undefined) groups.length = 6;
  const [from, length] = longestZeros(groups);
  const texts = groups.map((group) => group.toString(16));
  if (dotted !== undefined) texts.push(dotted);
  if (length < 2) return texts.join(':');
  return `${texts.slice(0, from).join(':')}::${texts.slice(from + length).join(':')}`;
}

/** RFC 5952 section 5: dotted where a well-known prefix says so: ::ffff:0:0/96 and 64:ff9b::/96. */
function holdsIpv4(groups: readonly number[]): boolean {
  const prefix = groups.slice(0, 6).join();
  return prefix === '0,0,0,0,0,65535' || prefix === '100,65435,0,0,0,0';
}

/** The longest run of zero groups, the first of equals: [from, length]. */
function longestZeros(groups: readonly number[]): [number, number] {
  let from = 0;
  let longest = 0;
  let run = 0;
  for (const [i, group] of groups.entries()) {
    run = group === 0 ? run + 1 : 0;
    if (run > longest) {
      longest = run;
      from = i - run + 1;
    }
  }
  return [from, longest];
}
