/**
 * The field index of a SIP message head (RFC 3261 clause 7.3): which octets are which header field.
 * Text is latin1, one character per octet, so that a place in the text is a place in the octets and
 * what is not UTF-8 survives. Nothing is normalised: compact names, case, white space and folding stay
 * where they are, and only the key of a field is one word for all its spellings.
 *
 * Lines end in CRLF. A CR or LF alone is refused: readers disagree on it, which lets a header field
 * hide from one of them.
 */
import { FAULTS, type Fault } from '../wire/faults.ts';
import { isSpace, isTokenChar } from './token-chars.ts';

const MAX_FIELDS = 512;

export interface Field {
  /** Long name in lower case, whatever form the message has (`v` is `via`). */
  readonly key: string;
  /** The whole field with its name and its CRLF: [start, end). */
  readonly start: number;
  readonly end: number;
  /** The value without white space around it; folding may be inside. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

export interface FieldIndex {
  readonly type: 'fields';
  readonly fields: readonly Field[];
  /** Where the empty line begins that ends the head. */
  readonly end: number;
}

/** RFC 3261 clause 7.3.3 and the registrations since (RFC 3515, 3841, 3891, 4028, 4474, 6665, 8224). */
const COMPACT: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

const CRLF = '\r\n';
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** Indexes the fields from `at`, the octet behind the start line's CRLF, up to the empty line. */
export function indexFields(text: string, at: number): FieldIndex | Fault {
  const fields: Field[] = [];
  for (let start = at; ; ) {
    if (text.startsWith(CRLF, start)) return { type: 'fields', fields, end: start };
    if (fields.length === MAX_FIELDS) return FAULTS.SIP_FIELDS_MANY;
    const end = endOfField(text, start);
    if (end === HEAD_SHORT) return FAULTS.SIP_HEAD_SHORT;
    if (end === LINE_END) return FAULTS.SIP_LINE_END;
    const field = readField(text, start, end);
    if (typeof field === 'number') return field;
    fields.push(field);
    start = end;
  }
}

/** All fields of this key, in the order of the message. */
export function fieldsOf(fields: readonly Field[], key: string): readonly Field[] {
  const found: Field[] = [];
  for (const field of fields) if (field.key === key) found.push(field);
  return found;
}

export function firstField(fields: readonly Field[], key: string): Field | undefined {
  for (const field of fields) if (field.key === key) return field;
  return undefined;
}

export function countOf(fields: readonly Field[], key: string): number {
  let count = 0;
  for (const field of fields) if (field.key === key) count += 1;
  return count;
}

/** The value as one line: each fold with the white space around it is one space. */
export function valueText(text: string, field: Field): string {
  return unfold(text.slice(field.valueStart, field.valueEnd));
}

export function unfold(value: string): string {
  if (!value.includes(CRLF)) return value;
  const lines = value.split(CRLF);
  return lines.map((line) => line.trim()).join(' ');
}

/** There is no end; there is a CR or LF alone before it. */
const HEAD_SHORT = -1;
const LINE_END = -2;

/** Behind the CRLF that no continuation line follows (RFC 3261 clause 7.3.1); or one of the above. */
function endOfField(text: string, start: number): number {
  let isBroken = false;
  for (let at = start; ; ) {
    const found = text.indexOf(CRLF, at);
    if (found < 0) return HEAD_SHORT;
    if (text.indexOf('\r', at) < found || text.indexOf('\n', at) < found) isBroken = true;
    at = found + CRLF.length;
    const next = text.charCodeAt(at);
    if (next !== SPACE && next !== TAB) return isBroken ? LINE_END : at;
  }
}

/** Letter by letter: expressions for it took half of the time to read a message (Node 20). */
function readField(text: string, start: number, end: number): Field | Fault {
  let nameEnd = start;
  while (isTokenChar(text.charCodeAt(nameEnd))) nameEnd += 1;
  let colon = nameEnd;
  while (isBlank(text.charCodeAt(colon))) colon += 1;
  if (nameEnd === start || text.charCodeAt(colon) !== COLON) return FAULTS.SIP_FIELD;
  const lineEnd = end - CRLF.length;
  let valueStart = colon + 1;
  while (valueStart < lineEnd && isSpace(text.charCodeAt(valueStart))) valueStart += 1;
  let valueEnd = lineEnd;
  while (valueEnd > valueStart && isSpace(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
  const name = text.slice(start, nameEnd).toLowerCase();
  const key = name.length === 1 ? (COMPACT.get(name) ?? name) : name;
  return { key, start, end, valueStart, valueEnd };
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
