/**
 * Who may open tunnels, as the settings say: users of a file, time-limited ones of a shared secret, or
 * both; or whoever has a call. Users may change while TEP-S runs; realm and mechanism may not.
 *
 * A reload may change which hashes are offered. The secret of the nonces changes with the offer, so that
 * a client that was let in before is challenged anew, and not refused (server-auth.ts).
 */
import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { wallClock } from '../io/clock.ts';
import type { IoFault } from '../io/io-fault.ts';
import { SessionUsers } from '../session/session-users.ts';
import type { Credentials, KeyHash } from '../wire/stun/keys.ts';
import { prepare } from '../wire/stun/precis.ts';
import type { AuthPolicy, LongTermPolicy } from '../wire/stun/server-auth.ts';
import { readUserFile } from '../wire/stun/user-file.ts';
import { keyHashesOf, timeLimitedUsers, type Users, userTable } from '../wire/stun/users.ts';
import type { ServerSettings } from './settings.ts';

/** A stale nonce costs a client one round trip; a stolen one is good for one address and port only. */
const NONCE_LIFETIME_MS = 3_600_000;

type AuthSettings = Pick<ServerSettings, 'auth' | 'realm' | 'users' | 'shared-secret'>;

interface LongTerm {
  readonly users: Users;
  readonly keyHashes: readonly KeyHash[];
  /** USERHASH hides the names of listed users, and would hide the expiry in time-limited ones. */
  readonly anonymity: boolean;
}

export class ServerAuth implements LongTermPolicy {
  readonly mechanism = 'long-term';
  readonly realm: string;
  readonly nonceLifetimeMs = NONCE_LIFETIME_MS;
  readonly #nonceSecret: Uint8Array;
  #now: LongTerm;

  private constructor(realm: string, nonceSecret: Uint8Array, now: LongTerm) {
    this.realm = realm;
    this.#nonceSecret = nonceSecret;
    this.#now = now;
  }

  /** `nonceSecret`: 32 random octets, the same for all workers of a server. */
  static make(settings: AuthSettings, nonceSecret: Uint8Array): ServerAuth | IoFault {
    const realm = prepare(settings.realm);
    const now = longTermOf(settings, realm);
    return 'type' in now ? now : new ServerAuth(realm, nonceSecret, now);
  }

  /** Other users from now on; or what is wrong with them, and nothing changed. */
  renew(settings: AuthSettings): IoFault | undefined {
    const next = longTermOf(settings, this.realm);
    if ('type' in next) return next;
    this.#now = next;
    return undefined;
  }

  get users(): Users {
    return this.#now.users;
  }

  get keyHashes(): readonly KeyHash[] {
    return this.#now.keyHashes;
  }

  get anonymity(): boolean {
    return this.#now.anonymity;
  }

  get nonceSecret(): Uint8Array {
    return createHmac('sha256', this.#nonceSecret).update(this.keyHashes.join()).digest();
  }
}

/** One or two a call (tep-server/ng). */
const MAX_SESSION_USERS = 32_768;

/** `none` only where the operator says so in as many words (tep-wire 3). */
export function makeAuth(
  settings: AuthSettings,
  nonceSecret: Uint8Array,
): AuthPolicy | ServerAuth | IoFault {
  if (settings.auth === 'none') return { mechanism: 'none' };
  if (settings.auth === 'short-term') {
    return { mechanism: 'short-term', users: new SessionUsers(MAX_SESSION_USERS) };
  }
  return ServerAuth.make(settings, nonceSecret);
}

function longTermOf(settings: AuthSettings, realm: string): LongTerm | IoFault {
  const { users: file, 'shared-secret': secret } = settings;
  const listed = readUserFile(Buffer.from(file?.octets ?? []).toString('utf8'));
  const [problem] = listed.problems;
  if (problem !== undefined) return fault(`${file?.path}, ${problem}`);
  const keyHashes = keyHashesOf(listed.users);
  if (keyHashes.length === 0) return fault(keysDiffer(file?.path, listed.users));
  const table = userTable(listed.users, realm);
  if (secret === undefined) return { users: table, keyHashes, anonymity: true };
  const limited = timeLimitedUsers(secret.reveal().split(/\r?\n/).filter(isText));
  return { users: both(table, limited), keyHashes, anonymity: false };
}

/** A server offers the same hashes to everybody: it does not know yet who is there. */
function keysDiffer(path: string | undefined, users: readonly Credentials[]): string {
  const name = (hash: KeyHash) =>
    users.find((user) => user.password === undefined && user[hash] === undefined)?.name ?? '';
  const [withoutSha256, withoutMd5] = [name('sha256'), name('md5')];
  return `${path}: ${withoutSha256} has an md5 key only and ${withoutMd5} a sha256 key only: give every user one of a kind`;
}

function both(listed: Users, limited: Users): Users {
  return {
    byName(name, now) {
      const found = listed.byName(name, now);
      // The clock may have been set since the start, or the machine have slept.
      return found.length > 0 ? found : limited.byName(name, wallClock());
    },
    byHash: (hash) => listed.byHash(hash),
  };
}

function isText(line: string): boolean {
  return line !== '';
}

function fault(text: string): IoFault {
  return { type: 'io-fault', code: 'EUSERS', text };
}
