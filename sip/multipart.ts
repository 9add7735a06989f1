/**
 * Multipart bodies (RFC 2046 clause 5.1, RFC 5621): where the parts are, without taking anything apart.
 * Boundaries, preambles, epilogues and the octets of other parts stay where they are.
 */
import { type Field, firstField, indexFields, valueText } from './fields.ts';
import { type Parameters, parameters, type Range } from './tokens.ts';

export interface MediaType {
  /** `application/sdp`, lower case. */
  readonly name: string;
  readonly parameters: Parameters;
}

export interface Part {
  readonly fields: readonly Field[];
  /** Without the line end that belongs to the boundary behind it. */
  readonly body: Range;
}

/** RFC 2046 clause 5.1.1. */
const MAX_BOUNDARY_LEN = 70;
const MAX_PARTS = 32;
const ENCODINGS: ReadonlySet<string> = new Set(['content-transfer-encoding', 'content-encoding']);
const PLAIN: ReadonlySet<string> = new Set(['', 'binary', '8bit', '7bit', 'identity']);
const CRLF = '\r\n';
const TYPE = /^\s*([\w.!%*+`'~-]+)\s*\/\s*([\w.!%*+`'~-]+)\s*(?=;|$)/;
/** Behind a boundary: nothing but white space up to the line end, which is looked for so far. */
const MAX_PADDING_LEN = 256;
const PADDING = /^[ \t]*\r\n/;

/** Undefined: there is no readable Content-Type. */
export function mediaType(text: string, fields: readonly Field[]): MediaType | undefined {
  const field = firstField(fields, 'content-type');
  if (field === undefined) return undefined;
  const found = TYPE.exec(text.slice(field.valueStart, field.valueEnd));
  const range = { start: field.valueStart + (found?.[0].length ?? 0), end: field.valueEnd };
  const list = parameters(text, range);
  if (found === null || list === undefined) return undefined;
  return { name: `${found[1]}/${found[2]}`.toLowerCase(), parameters: list };
}

/** Undefined: the boundary is missing or never closed, or a part has no head. */
export function partsOf(text: string, body: Range, type: MediaType): Part[] | undefined {
  const boundary = type.parameters.get('boundary')?.value ?? '';
  if (boundary === '' || boundary.length > MAX_BOUNDARY_LEN) return undefined;
  const delimiters = delimitersOf(text, body, `--${boundary}`);
  const parts: Part[] = [];
  for (const [i, delimiter] of (delimiters ?? []).entries()) {
    const next = delimiters?.[i + 1];
    if (next === undefined) break;
    const part = readPart(text, delimiter.end, next.start);
    if (part === undefined || parts.push(part) > MAX_PARTS) return undefined;
  }
  return delimiters === undefined ? undefined : parts;
}

/** Content-Transfer-Encoding or Content-Encoding under which the octets are those of the content. */
export function isPlain(text: string, fields: readonly Field[]): boolean {
  return fields.every((field) => {
    return !ENCODINGS.has(field.key) || PLAIN.has(valueText(text, field).toLowerCase());
  });
}

/**
 * From the line end before each boundary line to the end of that line; the last one is the close
 * delimiter. Undefined without it: a part without an end may be half a part.
 */
function delimitersOf(text: string, body: Range, mark: string): Range[] | undefined {
  const found: Range[] = [];
  for (let at = body.start; ; ) {
    const place = text.indexOf(mark, at);
    if (place < 0 || place + mark.length > body.end) return undefined;
    at = place + mark.length;
    const atLineStart = place === body.start || text.startsWith(CRLF, place - CRLF.length);
    if (!atLineStart) continue;
    const start = place === body.start ? place : place - CRLF.length;
    const behind = text.slice(at, body.end);
    if (behind.startsWith('--')) return [...found, { start, end: at + 2 }];
    const padding = PADDING.exec(behind.slice(0, MAX_PADDING_LEN));
    if (padding === null) continue;
    at += padding[0].length;
    found.push({ start, end: at });
    // The line end of this boundary line may be the one before the next.
    at -= CRLF.length;
  }
}

function readPart(text: string, start: number, end: number): Part | undefined {
  // Two boundary lines next to each other: a part of nothing.
  if (end < start) return { fields: [], body: { start, end: start } };
  // The head may be all there is of a part, without an empty line.
  const index = indexFields(`${text.slice(start, end)}${CRLF}${CRLF}`, 0);
  if (typeof index === 'number') return undefined;
  const fields = index.fields.map((field) => moved(field, start));
  const bodyStart = Math.min(start + index.end + CRLF.length, end);
  return { fields, body: { start: bodyStart, end } };
}

function moved(field: Field, by: number): Field {
  const { key, start, end, valueStart, valueEnd } = field;
  return {
    key,
    start: start + by,
    end: end + by,
    valueStart: valueStart + by,
    valueEnd: valueEnd + by,
  };
}
