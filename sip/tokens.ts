/**
 * Words inside header field values (RFC 3261 clause 25.1): lists cut at commas, parameters, quoted
 * strings, comments. Everything is a range of the message's text, so that an edit can name the octets.
 */
import { unfold } from './fields.ts';
import { isSpace, isTokenChar } from './token-chars.ts';

/** Octets [start, end) of a message's text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Parameter {
  /** Its semicolon and all up to the next one, white space before it left out. */
  readonly start: number;
  readonly end: number;
  /** Undefined when there is no equals sign. Quotes and their escapes are taken off. */
  readonly value: string | undefined;
}

/** By name in lower case; of several of one name the first counts. */
export type Parameters = ReadonlyMap<string, Parameter>;

const MAX_VALUES = 256;

const NO_PARAMETERS: Parameters = new Map();
const QUOTE = 0x22;
const PARENTHESIS = 0x28;
const LESS_THAN = 0x3c;
const EQUALS = 0x3d;

const NOT_PLAIN = /[\s";]/;
const PARAMETER =
  /^\s*([\w.!%*+`'~-]+)(?:\s*=\s*("(?:[^"\\]|\\[\s\S])*"|[^\s";]*))?\s*(?:\([\s\S]*\)\s*)?$/;

/**
 * Cuts [start, end) at each `separator` outside quoted strings, <...> and comments. White space around
 * the pieces is left out. Undefined: a quoted string or bracket has no end, or the pieces are too many.
 */
export function split(text: string, range: Range, separator: ',' | ';'): Range[] | undefined {
  const pieces: Range[] = [];
  const cut = separator.charCodeAt(0);
  let from = range.start;
  for (let at = range.start; ; at++) {
    const c = at < range.end ? text.charCodeAt(at) : cut;
    if (c === cut) {
      if (pieces.push(trim(text, from, at)) > MAX_VALUES) return undefined;
      if (at >= range.end) return pieces;
      from = at + 1;
    } else if (c === QUOTE || c === LESS_THAN || (c === PARENTHESIS && isComment(text, at))) {
      const close = closing(text, at, range.end);
      if (close === undefined) return undefined;
      at = close;
    }
  }
}

/** Parameters in [start, end), which begins with a semicolon or is empty. What is none is passed over. */
export function parameters(text: string, range: Range): Parameters | undefined {
  if (range.start === range.end) return NO_PARAMETERS;
  const pieces = split(text, range, ';');
  if (pieces === undefined) return undefined;
  const found = new Map<string, Parameter>();
  for (let i = 1; i < pieces.length; i++) {
    const piece = pieces[i];
    const read = piece === undefined ? undefined : readParameter(text, piece);
    if (read !== undefined && !found.has(read.name)) found.set(read.name, read.parameter);
  }
  return found;
}

function readParameter(text: string, piece: Range) {
  const start = text.lastIndexOf(';', piece.start);
  const { end } = piece;
  let nameEnd = piece.start;
  while (nameEnd < end && isTokenChar(text.charCodeAt(nameEnd))) nameEnd += 1;
  const plain = nameEnd > piece.start ? plainValue(text, nameEnd, end) : null;
  if (plain !== null) {
    const name = text.slice(piece.start, nameEnd).toLowerCase();
    return { name, parameter: { start, end, value: plain } };
  }
  const found = PARAMETER.exec(text.slice(piece.start, end));
  const name = found?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  const value = found?.[2] === undefined ? undefined : unquote(found[2]);
  return { name, parameter: { start, end, value } };
}

/** Behind a name: nothing, or a value without quotes, spaces and comments. Null: it is none of these. */
function plainValue(text: string, at: number, end: number): string | undefined | null {
  if (at === end) return undefined;
  if (text.charCodeAt(at) !== EQUALS) return null;
  const value = text.slice(at + 1, end);
  return NOT_PLAIN.test(value) ? null : value;
}

export function trim(text: string, start: number, end: number): Range {
  let from = start;
  let to = end;
  while (from < to && isSpace(text.charCodeAt(from))) from += 1;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to -= 1;
  return { start: from, end: to };
}

/** Place of the octet that closes what opens at `at`: quoted string, <...> or comment. */
export function closing(text: string, at: number, end: number): number | undefined {
  const open = text[at];
  if (open === '<') {
    const close = text.indexOf('>', at);
    return close < 0 || close >= end ? undefined : close;
  }
  let depth = 0;
  for (let i = at; i < end; i++) {
    const c = text[i];
    if (c === '\\') i += 1;
    else if (open === '"' && c === '"' && i > at) return i;
    else if (open === '(' && c === '(') depth += 1;
    else if (open === '(' && c === ')' && --depth === 0) return i;
  }
  return undefined;
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value;
  return unfold(value.slice(1, -1)).replace(/\\([\s\S])/g, '$1');
}

/** A parenthesis is a letter of URIs as well: only behind white space it opens a comment. */
function isComment(text: string, at: number): boolean {
  return isSpace(text.charCodeAt(at - 1));
}
