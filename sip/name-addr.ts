/**
 * Values that name someone: From, To, Contact, Route, Record-Route, Path (RFC 3261 clause 20.10). Either
 * `"Display" <uri>;parameters` or a bare URI, whose semicolons then begin parameters of the field.
 */
import { type Field, fieldsOf } from './fields.ts';
import type { Message } from './message.ts';
import { closing, type Parameters, parameters, type Range, split, trim } from './tokens.ts';

const QUOTE = 0x22;
const LESS_THAN = 0x3c;

export interface NameAddr {
  /** Display name, URI and parameters. */
  readonly range: Range;
  /** As written, without brackets: the octets [uriRange.start, uriRange.end). */
  readonly uri: string;
  readonly uriRange: Range;
  readonly parameters: Parameters;
}

/** Undefined when the value is none, or has no end. A display name is not judged: it is only passed on. */
export function readNameAddr(text: string, range: Range): NameAddr | undefined {
  const open = openBracket(text, range);
  if (open === undefined) return undefined;
  if (open < 0) return bare(text, range);
  const close = text.indexOf('>', open);
  if (close < 0 || close >= range.end) return undefined;
  const list = parameters(text, { start: close + 1, end: range.end });
  const behind = trim(text, close + 1, range.end);
  const legal = behind.start === behind.end || text[behind.start] === ';';
  return list === undefined || !legal
    ? undefined
    : named(text, range, { start: open + 1, end: close }, list);
}

/** All values of all fields of this key, in order; undefined when one field cannot be read. */
export function nameAddrs(message: Message, key: string): NameAddr[] | undefined {
  const ranges = listOf(message, key);
  const values = ranges?.map((range) => readNameAddr(message.text, range));
  const readable = values?.filter((value) => value !== undefined);
  return readable?.length === ranges?.length ? readable : undefined;
}

/** The values of a field that is a list, wherever its commas and lines are. */
export function listOf(message: Message, key: string): Range[] | undefined {
  return valuesOf(message.text, fieldsOf(message.fields, key));
}

/** The values of these fields; undefined when one of them cannot be cut. */
export function valuesOf(text: string, fields: readonly Field[]): Range[] | undefined {
  const found: Range[] = [];
  for (const field of fields) {
    const values = split(text, { start: field.valueStart, end: field.valueEnd }, ',');
    if (values === undefined) return undefined;
    found.push(...values);
  }
  return found;
}

/** -1: there is none. Undefined: a quoted string before it does not end. */
function openBracket(text: string, range: Range): number | undefined {
  for (let at = range.start; at < range.end; at++) {
    const c = text.charCodeAt(at);
    if (c === LESS_THAN) return at;
    if (c !== QUOTE) continue;
    const close = closing(text, at, range.end);
    if (close === undefined) return undefined;
    at = close;
  }
  return -1;
}

function bare(text: string, range: Range): NameAddr | undefined {
  const semicolon = text.indexOf(';', range.start);
  const end = semicolon < 0 || semicolon > range.end ? range.end : semicolon;
  const uri = trim(text, range.start, end);
  const list = parameters(text, { start: end, end: range.end });
  if (list === undefined || /[\s"]/.test(text.slice(uri.start, uri.end))) return undefined;
  return named(text, range, uri, list);
}

function named(text: string, range: Range, uriRange: Range, list: Parameters) {
  const uri = text.slice(uriRange.start, uriRange.end);
  return uri === '' ? undefined : { range, uri, uriRange, parameters: list };
}
