/**
 * SIP and SIPS URIs (RFC 3261 clause 19.1). The user part may hold `;`, `?`, `/` and, escaped, `@`; the
 * host may be an IPv6 reference in brackets, without which colons are refused (RFC 5118 clause 4).
 */
import { MAX_PORT, parseAddress } from '../wire/address.ts';

export interface Uri {
  readonly scheme: 'sip' | 'sips';
  /** As written, escapes and password included; undefined when there is no `@`. */
  readonly user: string | undefined;
  /** Lower case; an IPv6 reference without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** By name in lower case; escapes are undone. An empty value stands for none. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Behind the question mark. */
  readonly headers: string | undefined;
}

const SCHEME = /^([A-Za-z][\w+.-]*):/;
const HOST = /^(?:\[([\da-fA-F:.]+)\]|([A-Za-z\d._-]+))(?::(\d{1,5}))?(?=[;?]|$)/;
const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();
const FORBIDDEN = /[\s<>"]/;

/** Lower case; undefined when there is none. */
export function schemeOf(text: string): string | undefined {
  return SCHEME.exec(text)?.[1]?.toLowerCase();
}

/** Undefined: no SIP or SIPS URI, or broken. */
export function readUri(text: string): Uri | undefined {
  const scheme = schemeOf(text);
  if ((scheme !== 'sip' && scheme !== 'sips') || FORBIDDEN.test(text)) return undefined;
  const from = scheme.length + 1;
  const at = text.indexOf('@', from);
  const rest = text.slice(at < 0 ? from : at + 1);
  const found = HOST.exec(rest);
  const host = found === null ? undefined : readHost(found[1], found[2]);
  const port = found?.[3] === undefined ? undefined : Number(found[3]);
  if (found === null || host === undefined || (port ?? 0) > MAX_PORT) return undefined;
  const [list = '', ...headers] = rest.slice(found[0].length).split('?');
  return {
    scheme,
    user: at < 0 ? undefined : text.slice(from, at),
    host,
    port,
    parameters: readParameters(list),
    headers: headers.length === 0 ? undefined : headers.join('?'),
  };
}

/** Whether both name the same host: addresses by value, names without regard to case. */
export function sameHost(a: string, b: string): boolean {
  if (a === b) return true;
  // An IPv4 address has one spelling (`parseAddress`).
  if (!a.includes(':') && !b.includes(':')) return a.toLowerCase() === b.toLowerCase();
  const [x, y] = [a.replace(/^\[|\]$/g, ''), b.replace(/^\[|\]$/g, '')];
  const [p, q] = [parseAddress(x), parseAddress(y)];
  if (p === undefined || q === undefined) return x.toLowerCase() === y.toLowerCase();
  return p.length === q.length && p.every((octet, i) => octet === q[i]);
}

/** A host for a URI or Via: IPv6 in brackets. */
export function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function readHost(six: string | undefined, other: string | undefined): string | undefined {
  if (six === undefined) return other?.toLowerCase();
  return parseAddress(six)?.length === 16 ? six.toLowerCase() : undefined;
}

function readParameters(list: string): ReadonlyMap<string, string> {
  if (list === '') return NO_PARAMETERS;
  const found = new Map<string, string>();
  for (const piece of list.split(';')) {
    const [name = '', ...value] = piece.split('=');
    const key = unescaped(name).toLowerCase();
    if (key !== '' && !found.has(key)) found.set(key, unescaped(value.join('=')));
  }
  return found;
}

/** `%41` is `A` (clause 19.1.4). Octets above 127 come out as latin1, one character each. */
function unescaped(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([\da-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
