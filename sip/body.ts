/**
 * Session descriptions in the bodies of messages (RFC 3261 clause 7.4, RFC 5621): alone, or as parts of
 * multipart bodies of any depth. Replacing one leaves all else, boundaries included.
 */
import type { Edit } from './edit.ts';
import { type Field, firstField, valueText } from './fields.ts';
import { latin1, type Message, octetsOf } from './message.ts';
import { isPlain, type MediaType, mediaType, partsOf } from './multipart.ts';
import type { Range } from './tokens.ts';

export interface Description {
  readonly range: Range;
  /** `session` unless Content-Disposition says something else, such as `early-session` (RFC 3959). */
  readonly disposition: string;
  /** Content-Length of the part itself, which not every part has. */
  readonly length: Field | undefined;
}

const MAX_DEPTH = 4;

/**
 * All session descriptions, in order. Undefined: the body says that it has some, but it cannot be read
 * to its end, or is compressed, so that one may be hidden.
 */
export function descriptionsIn(message: Message): Description[] | undefined {
  const { text, fields, bodyStart, bodyEnd } = message;
  return inside(text, fields, { start: bodyStart, end: bodyEnd }, 0);
}

/** The octets of a description, owned by the caller. */
export function octetsIn(message: Message, description: Description): Uint8Array {
  return octetsOf(message.text.slice(description.range.start, description.range.end));
}

/** Content-Length of the part and of the message follow. No line of an SDP looks like a boundary. */
export function replaceDescription(edit: Edit, description: Description, sdp: Uint8Array): void {
  edit.replace(description.range, latin1(sdp, 0, sdp.length));
  const { length } = description;
  if (length === undefined) return;
  edit.replace({ start: length.valueStart, end: length.valueEnd }, String(sdp.length));
}

function inside(
  text: string,
  fields: readonly Field[],
  body: Range,
  depth: number,
): Description[] | undefined {
  const type = mediaType(text, fields);
  if (type === undefined || body.start === body.end) return [];
  if (type.name === 'application/sdp') {
    return isPlain(text, fields) ? [description(text, fields, body, depth)] : undefined;
  }
  return type.name.startsWith('multipart/') ? inParts(text, body, type, depth) : [];
}

function inParts(
  text: string,
  body: Range,
  type: MediaType,
  depth: number,
): Description[] | undefined {
  const parts = depth < MAX_DEPTH ? partsOf(text, body, type) : undefined;
  if (parts === undefined) return undefined;
  const found: Description[] = [];
  for (const part of parts) {
    const own = inside(text, part.fields, part.body, depth + 1);
    if (own === undefined) return undefined;
    found.push(...own);
  }
  return found;
}

function description(
  text: string,
  fields: readonly Field[],
  range: Range,
  depth: number,
): Description {
  const disposition = firstField(fields, 'content-disposition');
  const value = disposition === undefined ? 'session' : valueText(text, disposition);
  const length = depth === 0 ? undefined : firstField(fields, 'content-length');
  return { range, disposition: value.replace(/\s*;[\s\S]*$/, '').toLowerCase(), length };
}
