/**
 * What has been read of a message: several readers ask for the same parts of it, and each is read once. A part
 * is written only by the file that reads it.
 */
import type { Cseq } from './identity.ts';
import type { NameAddr } from './name-addr.ts';
import type { Via } from './via.ts';

/** Undefined: it was looked at and cannot be read. */
type Read<T> = T | undefined | typeof UNREAD;

export const UNREAD = Symbol('unread');

export interface Reading {
  vias: Read<readonly Via[]>;
  from: Read<NameAddr>;
  to: Read<NameAddr>;
  cseq: Read<Cseq>;
  callId: Read<string>;
}

export function newReading(): Reading {
  return { vias: UNREAD, from: UNREAD, to: UNREAD, cseq: UNREAD, callId: UNREAD };
}
