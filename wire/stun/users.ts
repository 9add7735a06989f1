/** Where a server finds its users: a list, or none at all but a shared secret (tep-wire 3). */
import { Buffer } from 'node:buffer';
import {
  type Credentials,
  type KeyHash,
  prepareCredentials,
  timeLimitedPassword,
  userhash,
} from './keys.ts';

export interface Users {
  /**
   * All credentials that this name may have now (milliseconds since 1970); none: no such user.
   * More than one while a shared secret is being replaced.
   */
  byName(name: string, now: number): readonly Credentials[];
  /** The same by USERHASH. */
  byHash(hash: Uint8Array): readonly Credentials[];
}

const NONE: readonly Credentials[] = [];

/** Users by list. The realm is that of the server: USERHASH depends on it. */
export function userTable(entries: readonly Credentials[], realm: string): Users {
  const names = new Map<string, readonly Credentials[]>();
  const hashes = new Map<string, readonly Credentials[]>();
  for (const entry of entries) {
    const credentials = prepareCredentials(entry);
    names.set(credentials.name, [credentials]);
    hashes.set(hashIndex(userhash(credentials.name, realm)), [credentials]);
  }
  return {
    byName: (name) => names.get(name) ?? NONE,
    byHash: (hash) => hashes.get(hashIndex(hash)) ?? NONE,
  };
}

/** `expiry:user`, expiry in seconds since 1970. */
const TIME_LIMITED = /^([0-9]{1,12}):(.+)$/s;

/**
 * Users that carry their own end of validity. The name must be readable for that, so none is ever
 * found by its hash: a server with these does not offer user name anonymity.
 */
export function timeLimitedUsers(secrets: readonly (string | Uint8Array)[]): Users {
  return {
    byName(name, now) {
      const [, expiry, owner] = TIME_LIMITED.exec(name) ?? [];
      if (expiry === undefined || owner === undefined || Number(expiry) * 1000 <= now) return NONE;
      const passwords = secrets.map((secret) => timeLimitedPassword(secret, name));
      return passwords.map((password) => ({ name, owner, password }));
    },
    byHash: () => NONE,
  };
}

/**
 * Which hashes a server with these users may offer, strongest first: those that every user has a key
 * of. A client takes the first that it knows, so one that some user has no key of would shut him out.
 * Empty: there are users with one key only and users with only the other.
 */
export function keyHashesOf(entries: readonly Credentials[]): KeyHash[] {
  const hashes: readonly KeyHash[] = ['sha256', 'md5'];
  return hashes.filter((hash) =>
    entries.every((entry) => entry.password !== undefined || entry[hash] !== undefined),
  );
}

function hashIndex(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.length).toString('latin1');
}
