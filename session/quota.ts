/**
 * How much one user may hold at a time (tep-wire 5, error 486): tunnels, and public ports per tunnel
 * and in all. One stolen or careless account cannot use up TEP-S (G-22).
 *
 * A user is the owner of the credentials that were authenticated: of a time-limited name the part
 * behind the expiry, or every new expiry would be a new user.
 *
 * Memory: one small entry for each user with a tunnel and for each tunnel, so tunnelsPerUser × users.
 */
import { FAULTS, type Fault } from '../wire/faults.ts';

export interface QuotaLimits {
  readonly tunnelsPerUser: number;
  /** Public ports; a pair is two. */
  readonly bindingsPerTunnel: number;
  readonly bindingsPerUser: number;
}

interface UserUse {
  readonly name: string;
  tunnels: number;
  bindings: number;
}

interface TunnelUse {
  readonly user: UserUse;
  bindings: number;
}

export class Quota {
  readonly #limits: QuotaLimits;
  readonly #users = new Map<string, UserUse>();
  readonly #tunnels = new Map<number, TunnelUse>();

  constructor(limits: QuotaLimits) {
    for (const [name, limit] of Object.entries(limits)) {
      if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`${name} ${limit}`);
    }
    this.#limits = limits;
  }

  /** Counts a new tunnel of the user, or says why not; then nothing is counted. */
  openTunnel(tunnel: number, user: string): 0 | Fault {
    if (this.#tunnels.has(tunnel)) throw new RangeError(`tunnel ${tunnel} is counted already`);
    const use = this.#users.get(user) ?? { name: user, tunnels: 0, bindings: 0 };
    if (use.tunnels >= this.#limits.tunnelsPerUser) return FAULTS.QUOTA_TUNNELS;
    use.tunnels += 1;
    this.#users.set(user, use);
    this.#tunnels.set(tunnel, { user: use, bindings: 0 });
    return 0;
  }

  /** The tunnel is over, and all that it still held with it. */
  closeTunnel(tunnel: number): void {
    const use = this.#tunnels.get(tunnel);
    if (use === undefined) return;
    this.#tunnels.delete(tunnel);
    use.user.bindings -= use.bindings;
    use.user.tunnels -= 1;
    if (use.user.tunnels === 0) this.#users.delete(use.user.name);
  }

  /** Counts `ports` more public ports of the tunnel, all or none. */
  bind(tunnel: number, ports: number): 0 | Fault {
    const use = this.#useOf(tunnel);
    const { bindingsPerTunnel, bindingsPerUser } = this.#limits;
    if (use.bindings + ports > bindingsPerTunnel) return FAULTS.QUOTA_BINDINGS;
    if (use.user.bindings + ports > bindingsPerUser) return FAULTS.QUOTA_BINDINGS;
    use.bindings += ports;
    use.user.bindings += ports;
    return 0;
  }

  unbind(tunnel: number, ports: number): void {
    const use = this.#useOf(tunnel);
    if (ports > use.bindings) throw new RangeError(`${ports} ports given back of ${use.bindings}`);
    use.bindings -= ports;
    use.user.bindings -= ports;
  }

  #useOf(tunnel: number): TunnelUse {
    const use = this.#tunnels.get(tunnel);
    if (use === undefined) throw new RangeError(`tunnel ${tunnel} is not counted`);
    return use;
  }
}
