/** Messages made by hand, and what `decode` says of them. */
import { Buffer } from 'node:buffer';
import { decode, type StunMessage } from '../../../wire/stun/message.ts';
import * as vectors from './vectors.ts';
import { hex, poisoned } from './vectors.ts';

export function read(octets: Uint8Array): StunMessage {
  const { b, at, end } = poisoned(octets);
  const result = decode(b, at, end);
  if (typeof result === 'number') throw new Error(`fault ${result}`);
  return result;
}

export function fault(octets: Uint8Array): number {
  const { b, at, end } = poisoned(octets);
  const result = decode(b, at, end);
  return typeof result === 'number' ? result : 0;
}

/** A message of the given attributes in hex, with a right length field. */
export function raw(attributes: string, type = '0001'): Uint8Array {
  const length = (attributes.length / 2).toString(16).padStart(4, '0');
  return hex(
    `${type}${length}2112a442${Buffer.from(vectors.TRANSACTION_ID).toString('hex')}${attributes}`,
  );
}
