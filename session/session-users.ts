/**
 * Short-term credentials of sessions: ufrag and pwd as the SDP of a call had them, learnt when the call
 * is set up and forgotten when it ends (tep-wire 3, standards M-08, M-10).
 *
 * Memory: `max` entries of a name and a password, each at most 513 octets (RFC 8489 14.3).
 */
import { type Credentials, prepareCredentials } from '../wire/stun/keys.ts';
import type { Users } from '../wire/stun/users.ts';

const NONE: readonly Credentials[] = [];

export class SessionUsers implements Users {
  readonly #max: number;
  readonly #byName = new Map<string, readonly Credentials[]>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** False, and nothing changed, when there are too many. The same name again replaces it. */
  learn(name: string, password: string): boolean {
    const credentials = prepareCredentials({ name, password });
    if (this.#byName.size >= this.#max && !this.#byName.has(credentials.name)) return false;
    this.#byName.set(credentials.name, [credentials]);
    return true;
  }

  /** Whether it was known. Tunnels that were opened with it live on. */
  forget(name: string): boolean {
    return this.#byName.delete(prepareCredentials({ name }).name);
  }

  byName(name: string): readonly Credentials[] {
    return this.#byName.get(name) ?? NONE;
  }

  /** Short-term credentials know no USERHASH. */
  byHash(): readonly Credentials[] {
    return NONE;
  }
}
