/** What tells dialogs and transactions apart: Call-ID, tags, sequence number (RFC 3261 clauses 8.1.1, 12). */
import { countOf, type Field, firstField } from './fields.ts';
import { header, type Message } from './message.ts';
import { type NameAddr, readNameAddr } from './name-addr.ts';
import { UNREAD } from './reading.ts';

export interface Cseq {
  readonly number: number;
  readonly method: string;
}

/** RFC 3261 clause 8.1.1.5: below 2^31. */
const MAX_CSEQ = 2 ** 31 - 1;
const CSEQ = /^(\d{1,20})\s+([\w.!%*+`'~-]+)$/;

export function cseqOf(message: Message): Cseq | undefined {
  const { reading } = message;
  if (reading.cseq === UNREAD) reading.cseq = readCseq(message);
  return reading.cseq;
}

function readCseq(message: Message): Cseq | undefined {
  const found = CSEQ.exec(header(message, 'cseq') ?? '');
  const number = Number(found?.[1] ?? Number.NaN);
  return number <= MAX_CSEQ ? { number, method: found?.[2] ?? '' } : undefined;
}

/** The one From or To; undefined when there is not exactly one that can be read. */
export function party(message: Message, key: 'from' | 'to'): NameAddr | undefined {
  const { reading } = message;
  const read = reading[key];
  if (read !== UNREAD) return read;
  const party = readParty(message, key);
  reading[key] = party;
  return party;
}

function readParty(message: Message, key: 'from' | 'to'): NameAddr | undefined {
  const field = firstField(message.fields, key);
  return field === undefined || countOf(message.fields, key) > 1
    ? undefined
    : readNameAddr(message.text, whole(field));
}

/** Empty when there is none, as RFC 2543 ends send. */
export function tagOf(message: Message, key: 'from' | 'to'): string {
  return party(message, key)?.parameters.get('tag')?.value ?? '';
}

export function callIdOf(message: Message): string {
  const { reading } = message;
  if (reading.callId === UNREAD) reading.callId = header(message, 'call-id');
  return reading.callId ?? '';
}

function whole(field: Field) {
  return { start: field.valueStart, end: field.valueEnd };
}
