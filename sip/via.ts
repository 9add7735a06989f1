/** One value of a Via header field (RFC 3261 clause 20.42, RFC 3581, RFC 6223). */
import { MAX_PORT, parseAddress } from '../wire/address.ts';
import { firstField } from './fields.ts';
import type { Message } from './message.ts';
import { listOf, valuesOf } from './name-addr.ts';
import { UNREAD } from './reading.ts';
import { type Parameters, parameters, type Range } from './tokens.ts';

/** Branches that begin so are unique by themselves (RFC 3261 clause 8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

export interface Via {
  readonly range: Range;
  /** Upper case: UDP, TCP, TLS, WSS, or one that we do not know. */
  readonly transport: string;
  /** Of sent-by; IPv6 without brackets, names in lower case. */
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: Parameters;
}

const HEAD =
  /^SIP\s*\/\s*2\.0\s*\/\s*([\w.!%*+`'~-]+)\s+(?:\[([\da-f:.]+)\]|([a-z\d._-]+))(?:\s*:\s*(\d{1,5}))?\s*(?:\([\s\S]*\)\s*)?(?=;|$)/i;

export function readVia(text: string, range: Range): Via | undefined {
  const found = HEAD.exec(text.slice(range.start, range.end));
  if (found === null) return undefined;
  const [head, transport = '', six, name, digits] = found;
  const port = digits === undefined ? undefined : Number(digits);
  const list = parameters(text, { start: range.start + head.length, end: range.end });
  const broken = six !== undefined && parseAddress(six)?.length !== 16;
  if (list === undefined || broken || (port ?? 0) > MAX_PORT) return undefined;
  const host = (six ?? name ?? '').toLowerCase();
  return { range, transport: transport.toUpperCase(), host, port, parameters: list };
}

/** The value that the last hop put there. Undefined when it is missing or cannot be read. */
export function topVia(message: Message): Via | undefined {
  const read = message.reading.vias;
  if (read !== UNREAD && read !== undefined) return read[0];
  const field = firstField(message.fields, 'via');
  const [first] = field === undefined ? [] : (valuesOf(message.text, [field]) ?? []);
  return first === undefined ? undefined : readVia(message.text, first);
}

/** All values, topmost first. Undefined when one cannot be read. */
export function vias(message: Message): readonly Via[] | undefined {
  const { reading } = message;
  if (reading.vias === UNREAD) reading.vias = readAll(message);
  return reading.vias;
}

function readAll(message: Message): Via[] | undefined {
  const ranges = listOf(message, 'via');
  const values = ranges?.map((range) => readVia(message.text, range));
  const readable = values?.filter((value) => value !== undefined);
  return readable?.length === ranges?.length ? readable : undefined;
}

export function branchOf(via: Via): string {
  return via.parameters.get('branch')?.value ?? '';
}
