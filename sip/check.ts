/**
 * What a proxy must find before it passes a message on (RFC 3261 clause 16.3): the parts that it needs
 * itself. Everything else is for the ends to judge, and goes through as it is.
 */
import { countOf, fieldsOf, valueText } from './fields.ts';
import { cseqOf, party } from './identity.ts';
import { header, type Message, type Request, type Response } from './message.ts';
import { vias } from './via.ts';

/** Answer of this status; a response is never answered, but dropped. */
export interface Refusal {
  readonly type: 'refusal';
  readonly status: number;
  readonly reason: string;
  /** Further header field lines of the answer, without CRLF. */
  readonly fields: readonly string[];
}

const MAX_MAX_FORWARDS = 255;

/** How many there must be, and may be. */
const COUNTS = [
  ['via', 1, Number.POSITIVE_INFINITY],
  ['from', 1, 1],
  ['to', 1, 1],
  ['call-id', 1, 1],
  ['cseq', 1, 1],
  ['max-forwards', 0, 1],
] as const;
const STRICT_URI = /^[^\s<>"]+$/;
const MAX_FORWARDS = /^\d{1,10}$/;

/** Undefined: pass it on. `understood` are the option tags that the caller obeys as a proxy. */
export function checkRequest(
  request: Request,
  understood: ReadonlySet<string>,
): Refusal | undefined {
  if (request.version !== '2.0') return refusal(505, 'Version Not Supported');
  const problem = problemOf(request) ?? requestProblem(request);
  if (problem !== undefined) return refusal(400, `Bad Request: ${problem}`);
  if (hopsLeft(request) === 0) return refusal(483, 'Too Many Hops');
  const unknown = tokensOf(request, 'proxy-require').filter((tag) => !understood.has(tag));
  if (unknown.length === 0) return undefined;
  return refusal(420, 'Bad Extension', [`Unsupported: ${unknown.join(', ')}`]);
}

/** Whether a response can be passed on. */
export function checkResponse(response: Response): boolean {
  const { status, version } = response;
  return version === '2.0' && status >= 100 && status <= 699 && problemOf(response) === undefined;
}

/** Undefined without Max-Forwards, NaN when it cannot be read. */
export function hopsLeft(request: Request): number | undefined {
  const text = header(request, 'max-forwards');
  if (text === undefined) return undefined;
  return MAX_FORWARDS.test(text) && Number(text) <= MAX_MAX_FORWARDS ? Number(text) : Number.NaN;
}

export function refusal(status: number, reason: string, fields: readonly string[] = []): Refusal {
  return { type: 'refusal', status, reason, fields };
}

/** Option tags and the like, in lower case, of all fields of this key. */
export function tokensOf(message: Message, key: string): string[] {
  const fields = fieldsOf(message.fields, key);
  if (fields.length === 0) return [];
  const words = fields.flatMap((field) => valueText(message.text, field).split(','));
  return words.map((word) => word.trim().toLowerCase()).filter((word) => word !== '');
}

function problemOf(message: Message): string | undefined {
  for (const [key, least, most] of COUNTS) {
    const count = countOf(message.fields, key);
    if (count < least) return `no ${key}`;
    if (count > most) return `more than one ${key}`;
  }
  if (vias(message) === undefined) return 'via';
  if (party(message, 'from') === undefined) return 'from';
  if (party(message, 'to') === undefined) return 'to';
  if (cseqOf(message) === undefined) return 'cseq';
  return message.lengthFault === 0 ? undefined : 'content-length';
}

function requestProblem(request: Request): string | undefined {
  const line = `${request.method} ${request.uri} SIP/2.0\r\n`;
  const strict =
    request.text.startsWith(line) ||
    request.text.slice(0, line.length).toUpperCase() === line.toUpperCase();
  if (!strict || !STRICT_URI.test(request.uri)) return 'request line';
  if (cseqOf(request)?.method !== request.method) return 'cseq method';
  return Number.isNaN(hopsLeft(request)) ? 'max-forwards' : undefined;
}
