/**
 * The fields of the lines that carry addresses: m=, c=, o=, a=rtcp (RFC 3605), a=candidate (RFC 8839
 * clause 5.1). Each reader has a writer beside it that changes the address fields and keeps the other
 * characters of the line, spaces included. A line that cannot be read gives undefined.
 */
import {
  type Endpoint,
  type Family,
  formatAddress,
  MAX_PORT,
  parseAddress,
} from '../wire/address.ts';
import { u8 } from '../wire/bytes.ts';

/** The discard port: "no port here", of TCP ends that only connect (RFC 6544 clause 4.5, RFC 4145). */
export const NO_PORT = 9;

/** An IP address with its family. */
export interface Address {
  readonly family: Family;
  readonly address: Uint8Array;
}

export interface MediaFields {
  readonly kind: string;
  readonly port: number;
  /** Of `port/count`: how many port pairs, 1 when absent. */
  readonly count: number;
  readonly protocol: string;
  readonly formats: readonly string[];
}

const MEDIA = /^(m=[^ ]+ +)(\d{1,5})((?:\/(\d{1,5}))? +([^ ]+)(?: +(.*))?)[ \t]*$/;

export function readMedia(text: string): MediaFields | undefined {
  const m = MEDIA.exec(text);
  if (m === null) return undefined;
  const port = Number(m[2]);
  if (port > MAX_PORT) return undefined;
  return {
    kind: (m[1] ?? '').slice(2).trimEnd(),
    port,
    count: m[4] === undefined ? 1 : Number(m[4]),
    protocol: m[5] ?? '',
    formats: (m[6] ?? '').split(' ').filter((format) => format !== ''),
  };
}

export function writeMediaPort(text: string, port: number): string {
  return text.replace(MEDIA, (_, head: string, __, tail: string) => `${head}${port}${tail}`);
}

const CONNECTION = /^(c=IN +)(IP[46])( +)([^ /]+)([^ ]*)(.*)$/;

export interface ConnectionFields {
  readonly host: string;
  /** Undefined for a name, a multicast group with TTL or count, and what is no address of its type. */
  readonly address: Address | undefined;
}

export function readConnection(text: string): ConnectionFields | undefined {
  const m = CONNECTION.exec(text);
  if (m === null) return undefined;
  const host = m[4] ?? '';
  return { host, address: m[5] === '' ? readAddress(host, m[2]) : undefined };
}

export function writeConnection(text: string, to: Address): string {
  return text.replace(
    CONNECTION,
    (_, head: string, __, gap: string, ___, ____, tail: string) =>
      `${head}IP${to.family}${gap}${addressText(to)}${tail}`,
  );
}

const ORIGIN = /^(o=[^ ]+ +[^ ]+ +)(\d+)( +IN +)(IP[46])( +)([^ ]+)(.*)$/;

export function readOrigin(text: string): ConnectionFields | undefined {
  const m = ORIGIN.exec(text);
  return m === null ? undefined : { host: m[6] ?? '', address: readAddress(m[6] ?? '', m[4]) };
}

/** `raise` adds one to the version, which may have more digits than a number holds. */
export function writeOrigin(text: string, to: Address | undefined, raise: boolean): string {
  const m = ORIGIN.exec(text);
  if (m === null) return text;
  const version = raise ? BigInt(m[2] ?? 0) + 1n : m[2];
  const family = to === undefined ? m[4] : `IP${to.family}`;
  const host = to === undefined ? m[6] : addressText(to);
  return `${m[1]}${version}${m[3]}${family}${m[5]}${host}${m[7]}`;
}

const RTCP = /^(a=rtcp:)(\d{1,5})(?: +IN +(IP[46]) +([^ ]+))?(.*)$/;

export interface RtcpFields {
  readonly port: number;
  /** Undefined when the line has a port only: the address is that of c=. */
  readonly host: string | undefined;
  readonly address: Address | undefined;
}

export function readRtcp(text: string): RtcpFields | undefined {
  const m = RTCP.exec(text);
  if (m === null || Number(m[2]) > MAX_PORT) return undefined;
  const address = m[4] === undefined ? undefined : readAddress(m[4], m[3]);
  return { port: Number(m[2]), host: m[4], address };
}

/** Without an address the line says "the address of c=". */
export function writeRtcp(text: string, port: number, address: Address | undefined): string {
  const tail = RTCP.exec(text)?.[5] ?? '';
  const rest = address === undefined ? '' : ` IN IP${address.family} ${addressText(address)}`;
  return `a=rtcp:${port}${rest}${tail}`;
}

const CANDIDATE =
  /^(a=candidate:[^ ]+ +(\d{1,3}) +([^ ]+) +)(\d{1,10})( +)([^ ]+)( +)(\d{1,5})( +typ +)([^ ]+)(.*)$/;
const RELATED = /^( +raddr +)([^ ]+)( +rport +)(\d{1,5})(?= |$)/;
const RELATED_SWAPPED = /^( +rport +)(\d{1,5})( +raddr +)([^ ]+)(?= |$)/;

export interface CandidateFields {
  readonly component: number;
  readonly transport: string;
  readonly priority: number;
  readonly host: string;
  /** Undefined for a name (such as `….local`); a zone (`%eth0`) is left out. */
  readonly address: Address | undefined;
  readonly port: number;
  readonly kind: string;
  readonly relatedAddress: Address | undefined;
}

export function readCandidate(text: string): CandidateFields | undefined {
  const m = CANDIDATE.exec(text);
  if (m === null || Number(m[8]) > MAX_PORT) return undefined;
  const tail = m[11] ?? '';
  const related = RELATED.exec(tail)?.[2] ?? RELATED_SWAPPED.exec(tail)?.[4];
  return {
    component: Number(m[2]),
    transport: (m[3] ?? '').toLowerCase(),
    priority: Number(m[4]),
    host: m[6] ?? '',
    address: readAddress(m[6] ?? ''),
    port: Number(m[8]),
    kind: m[10] ?? '',
    relatedAddress: related === undefined ? undefined : readAddress(related),
  };
}

export interface CandidateChange {
  readonly priority: number;
  readonly address: Address;
  readonly port: number;
  readonly kind: string;
}

export function writeCandidate(text: string, to: CandidateChange): string {
  return text.replace(
    CANDIDATE,
    (_, head, __, ___, ____, gap, _____, gap2, ______, typ, _______, tail) =>
      `${head}${to.priority}${gap}${addressText(to.address)}${gap2}${to.port}${typ}${to.kind}${tail}`,
  );
}

/**
 * Related address 0.0.0.0 or ::, port 9: "not told" (RFC 8839 clause 5.1). Written where it is missing
 * and wanted, because srflx, prflx and relay candidates must have one.
 */
export function hideRelated(text: string, family: Family): string {
  const m = CANDIDATE.exec(text);
  if (m === null) return text;
  const tail = m[11] ?? '';
  const head = text.slice(0, text.length - tail.length);
  const none = family === 4 ? '0.0.0.0' : '::';
  if (RELATED.test(tail)) return head + tail.replace(RELATED, `$1${none}$3${NO_PORT}`);
  if (RELATED_SWAPPED.test(tail))
    return head + tail.replace(RELATED_SWAPPED, `$1${NO_PORT}$3${none}`);
  return `${head} raddr ${none} rport ${NO_PORT}${tail}`;
}

/** An address literal; its zone (`%eth0`), which means nothing to others, is left out. */
export function readAddress(host: string, type?: string): Address | undefined {
  const zone = host.indexOf('%');
  const address = parseAddress(zone === -1 ? host : host.slice(0, zone));
  if (address === undefined) return undefined;
  const family = address.length === 4 ? 4 : 6;
  return type === undefined || type === `IP${family}` ? { family, address } : undefined;
}

export function addressText(a: Address): string {
  return formatAddress(a.address, 0, a.address.length);
}

export function endpoint(a: Address, port: number): Endpoint {
  return { family: a.family, address: a.address, port };
}

export function isUnspecified(a: Address): boolean {
  return a.address.every((octet) => octet === 0);
}

/** Whether media or a connection can go there: neither a group nor "none". */
export function isUnicast(a: Address): boolean {
  const group = a.family === 4 ? (u8(a.address, 0) & 0xf0) === 0xe0 : u8(a.address, 0) === 0xff;
  return !group && !isUnspecified(a);
}
