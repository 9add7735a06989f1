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

export const MAX_FIELDS = 512;

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
const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

const CRLF = '\r\n';
const NAME = /^([\w.!%*+`'~-]+)[ \t]*:/;
const LINE_END = /[\r\n]/;

/** Indexes the fields from `at`, the octet behind the start line's CRLF, up to the empty line. */
export function indexFields(text: string, at: number): FieldIndex | Fault {
  const fields: Field[] = [];
  for (let start = at; ; ) {
    if (text.startsWith(CRLF, start)) return { type: 'fields', fields, end: start };
    if (fields.length === MAX_FIELDS) return FAULTS.SIP_FIELDS_MANY;
    const end = endOfField(text, start);
    if (end < 0) return FAULTS.SIP_HEAD_SHORT;
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

/** Behind the CRLF that no continuation line follows (RFC 3261 clause 7.3.1); -1 when there is none. */
function endOfField(text: string, start: number): number {
  for (let at = start; ; ) {
    const found = text.indexOf(CRLF, at);
    if (found < 0) return -1;
    at = found + CRLF.length;
    if (text[at] !== ' ' && text[at] !== '\t') return at;
  }
}

function readField(text: string, start: number, end: number): Field | Fault {
  const content = text.slice(start, end - CRLF.length);
  if (LINE_END.test(content.includes(CRLF) ? content.replaceAll(CRLF, '') : content)) {
    return FAULTS.SIP_LINE_END;
  }
  const found = NAME.exec(content);
  if (found === null) return FAULTS.SIP_FIELD;
  const name = (found[1] ?? '').toLowerCase();
  const value = content.slice(found[0].length);
  const left = value.length - value.trimStart().length;
  const valueStart = start + found[0].length + left;
  const valueEnd = valueStart + value.trim().length;
  const key = Object.hasOwn(COMPACT, name) ? (COMPACT[name] ?? name) : name;
  return { key, start, end, valueStart, valueEnd };
}
