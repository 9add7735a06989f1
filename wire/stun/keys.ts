/**
 * Keys of the two credential mechanisms. Short-term: the password (RFC 8489 9.1.1). Long-term: a hash
 * of `user:realm:password` (9.2.2 and 18.5.1); with MD5 it is the H(A1) of SIP digest, so that one
 * database serves both.
 */
import { Buffer } from 'node:buffer';
import { createHash, createHmac } from 'node:crypto';
import { prepare } from './precis.ts';

/** A user and what the keys come from: the password, or keys made before. All strings prepared. */
export interface Credentials {
  readonly name: string;
  /** Whose they are, where one person has many names (`expiry:user`); else it is the name. */
  readonly owner?: string;
  readonly password?: string;
  /** H(A1): MD5 of `user:realm:password`, 16 octets. */
  readonly md5?: Uint8Array;
  /** SHA-256 of `user:realm:password`, 32 octets. */
  readonly sha256?: Uint8Array;
}

export type KeyHash = 'md5' | 'sha256';

/** Credentials with name and password prepared; RangeError when they hold forbidden characters. */
export function prepareCredentials(credentials: Credentials): Credentials {
  const { name, password } = credentials;
  const prepared = { ...credentials, name: prepare(name) };
  return password === undefined ? prepared : { ...prepared, password: prepare(password) };
}

export function shortTermKey(credentials: Credentials): Uint8Array | undefined {
  return credentials.password === undefined ? undefined : Buffer.from(credentials.password, 'utf8');
}

/** `undefined`: these credentials hold neither the password nor this key. */
export function longTermKey(
  credentials: Credentials,
  realm: string,
  hash: KeyHash,
): Uint8Array | undefined {
  const made = hashOf(hash, `${credentials.name}:${realm}:${credentials.password ?? ''}`);
  // Made in any case: how long an answer takes must not tell how a user is stored.
  return credentials[hash] ?? (credentials.password === undefined ? undefined : made);
}

/** USERHASH (RFC 8489 14.4); both strings prepared. */
export function userhash(name: string, realm: string): Uint8Array {
  return hashOf('sha256', `${name}:${realm}`);
}

/** The password of a time-limited user `expiry:name` (tep-wire 3). */
export function timeLimitedPassword(secret: string | Uint8Array, username: string): string {
  return createHmac('sha1', secret).update(username, 'utf8').digest('base64');
}

function hashOf(hash: KeyHash, text: string): Uint8Array {
  return createHash(hash).update(text, 'utf8').digest();
}
