/**
 * Short-term credentials of sessions: ufrag and pwd as the SDP of a call had them, learnt when the call
 * is set up and forgotten when it ends (tep-wire 3, standards M-08, M-10).
 *
 * Memory: `max` entries of a name and a password, each at most 513 octets (RFC 8489 14.3).
 */
import { type Credentials, prepareCredentials } from '../wire/stun/keys.ts';
import type { Users } from '../wire/stun/users.ts';

const NONE: readonly Credentials[] = [];

export interface SessionCredentials {
  readonly name: string;
  readonly password: string;
}

export class SessionUsers implements Users {
  readonly #max: number;
  readonly #byName = new Map<string, readonly Credentials[]>();
  readonly #namesOf = new Map<string, readonly string[]>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#byName.size;
  }

  /**
   * Those of one call from now on, instead of what it had; how many of them there was no room for.
   * Tunnels that were opened with earlier ones live on.
   */
  replace(call: string, users: readonly SessionCredentials[]): number {
    for (const name of this.#namesOf.get(call) ?? []) this.#byName.delete(name);
    const prepared = users.map(prepareCredentials).slice(0, this.#max - this.#byName.size);
    for (const user of prepared) this.#byName.set(user.name, [user]);
    if (prepared.length === 0) this.#namesOf.delete(call);
    else {
      this.#namesOf.set(
        call,
        prepared.map(({ name }) => name),
      );
    }
    return users.length - prepared.length;
  }

  byName(name: string): readonly Credentials[] {
    return this.#byName.get(name) ?? NONE;
  }

  /** Short-term credentials know no USERHASH. */
  byHash(): readonly Credentials[] {
    return NONE;
  }
}
