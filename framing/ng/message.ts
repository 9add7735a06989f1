/**
 * Messages of the ng protocol, by which a SIP proxy controls a media gateway (rtpengine): a cookie that
 * the answer repeats, a space, and a bencoded dictionary. In a datagram it is all there is; on a stream
 * the dictionary tells where it ends.
 */
import { Buffer } from 'node:buffer';
import { u8 } from '../../wire/bytes.ts';
import { FAULTS, type Fault } from '../../wire/faults.ts';
import { type DictionaryValue, encode, type Plain, readValue, textOf } from './bencode.ts';

export const MAX_COOKIE_LEN = 255;

export interface NgMessage {
  readonly type: 'ng';
  /** One character per octet. */
  readonly cookie: string;
  /** The octets that the dictionary's places count in; they stay the caller's. */
  readonly octets: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly dictionary: DictionaryValue;
}

const SPACE = 0x20;

/** The message that begins at `at`; another may follow. */
export function readMessage(
  b: Uint8Array,
  at: number,
  end: number,
): NgMessage | 'need-more' | Fault {
  const last = Math.min(end, at + MAX_COOKIE_LEN + 1);
  let space = at;
  while (space < last && isVisible(u8(b, space))) space += 1;
  if (space === last && space - at <= MAX_COOKIE_LEN) return 'need-more';
  if (space === at || space === last || u8(b, space) !== SPACE) return FAULTS.NG_COOKIE;
  const value = readValue(b, space + 1, end);
  if (typeof value !== 'object') return value;
  if (value.type !== 'dictionary') return FAULTS.BENCODE_TYPE;
  const cookie = Buffer.from(b.buffer, b.byteOffset + at, space - at).toString('latin1');
  return { type: 'ng', cookie, octets: b, start: at, end: value.end, dictionary: value };
}

/** A datagram holds one message, whole and nothing else. */
export function readDatagram(b: Uint8Array, at: number, end: number): NgMessage | Fault {
  const message = readMessage(b, at, end);
  if (message === 'need-more') return FAULTS.BENCODE_SHORT;
  return typeof message === 'object' && message.end !== end ? FAULTS.BENCODE_REST : message;
}

/** Content of a string of the dictionary, one character per octet; undefined when there is none. */
export function stringOf(message: NgMessage, key: string): string | undefined {
  const value = message.dictionary.entries.get(key)?.value;
  return value?.type === 'string' ? textOf(message.octets, value) : undefined;
}

/** Content of a string of the dictionary: a view. */
export function octetsOf(message: NgMessage, key: string): Uint8Array | undefined {
  const value = message.dictionary.entries.get(key)?.value;
  return value?.type === 'string' ? message.octets.subarray(value.from, value.end) : undefined;
}

/**
 * The message with other values for some keys: undefined takes the entry out, a new key goes to the end.
 * Everything else, cookie included, comes out octet by octet as it came in.
 */
export function withValues(
  message: NgMessage,
  changes: ReadonlyMap<string, Plain | undefined>,
): Uint8Array {
  const { octets, dictionary } = message;
  const out: Uint8Array[] = [];
  let at = message.start;
  for (const [key, { start, value }] of dictionary.entries) {
    if (!changes.has(key)) continue;
    const change = changes.get(key);
    out.push(octets.subarray(at, change === undefined ? start : value.start));
    if (change !== undefined) out.push(encode(change));
    at = value.end;
  }
  out.push(octets.subarray(at, dictionary.end - 1));
  for (const [key, change] of changes) {
    if (change !== undefined && !dictionary.entries.has(key)) out.push(encode(key), encode(change));
  }
  out.push(octets.subarray(dictionary.end - 1, message.end));
  return Buffer.concat(out);
}

export function encodeMessage(cookie: string, dictionary: ReadonlyMap<string, Plain>): Uint8Array {
  return Buffer.concat([Buffer.from(`${cookie} `, 'latin1'), encode(dictionary)]);
}

function isVisible(octet: number): boolean {
  return octet > SPACE && octet < 0x7f;
}
