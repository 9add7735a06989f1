/**
 * How much one user may hold at a time (tep-wire 5, error 486): tunnels, and public ports per tunnel
 * and in all; and how fast he may send and receive. One stolen or careless account cannot use up TEP-S
 * (G-22).
 *
 * A user is the owner of the credentials that were authenticated: of a time-limited name the part
 * behind the expiry, or every new expiry would be a new user.
 *
 * Memory: one small entry for each user with a tunnel and for each tunnel, so tunnelsPerUser × users;
 * and MAX_RESTING entries of users without one.
 */
import { FAULTS, type Fault } from '../wire/faults.ts';
import { RateLimit, type Rates } from './rate-limit.ts';

/** Buckets are full again after a second: so many users would have to end their tunnels in it. */
const MAX_RESTING = 4096;

/** Of a user: what all his tunnels send to the core and receive from it. Each way has its own. */
export interface UserRates {
  readonly up: RateLimit;
  readonly down: RateLimit;
}

export interface QuotaLimits extends Rates {
  readonly tunnelsPerUser: number;
  /** Public ports; a pair is two. */
  readonly bindingsPerTunnel: number;
  readonly bindingsPerUser: number;
}

interface UserUse {
  readonly name: string;
  readonly rates: UserRates;
  tunnels: number;
  bindings: number;
}

interface TunnelUse {
  readonly user: UserUse;
  bindings: number;
}

export class Quota {
  #limits: QuotaLimits;
  readonly #users = new Map<string, UserUse>();
  /** Users whose last tunnel is over, longest ago first. */
  readonly #resting = new Map<string, UserUse>();
  readonly #tunnels = new Map<number, TunnelUse>();

  constructor(limits: QuotaLimits) {
    this.#limits = checked(limits);
  }

  /** Other limits from now on. Who holds more than they allow keeps it, and gets nothing more. */
  limit(limits: QuotaLimits): void {
    this.#limits = checked(limits);
    for (const { rates } of [...this.#users.values(), ...this.#resting.values()]) {
      rates.up.limit(limits);
      rates.down.limit(limits);
    }
  }

  /** Counts a new tunnel of the user, or says why not; then nothing is counted. */
  openTunnel(tunnel: number, user: string): 0 | Fault {
    if (this.#tunnels.has(tunnel)) throw new RangeError(`tunnel ${tunnel} is counted already`);
    const use = this.#users.get(user) ?? this.#resting.get(user) ?? this.#newUser(user);
    if (use.tunnels >= this.#limits.tunnelsPerUser) return FAULTS.QUOTA_TUNNELS;
    use.tunnels += 1;
    this.#resting.delete(user);
    this.#users.set(user, use);
    this.#tunnels.set(tunnel, { user: use, bindings: 0 });
    return 0;
  }

  /** What all packets of the tunnel's user are counted with. */
  ratesOf(tunnel: number): UserRates {
    return this.#useOf(tunnel).user.rates;
  }

  /** The tunnel is over, and all that it still held with it. */
  closeTunnel(tunnel: number): void {
    const use = this.#tunnels.get(tunnel);
    if (use === undefined) return;
    this.#tunnels.delete(tunnel);
    use.user.bindings -= use.bindings;
    use.user.tunnels -= 1;
    if (use.user.tunnels === 0) this.#rest(use.user);
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

  /** A user who closed and opened tunnels in turn would get full buckets each time otherwise. */
  #rest(user: UserUse): void {
    this.#users.delete(user.name);
    this.#resting.set(user.name, user);
    if (this.#resting.size <= MAX_RESTING) return;
    for (const longest of this.#resting.keys()) {
      this.#resting.delete(longest);
      return;
    }
  }

  #newUser(name: string): UserUse {
    const rates = { up: new RateLimit(this.#limits), down: new RateLimit(this.#limits) };
    return { name, rates, tunnels: 0, bindings: 0 };
  }

  #useOf(tunnel: number): TunnelUse {
    const use = this.#tunnels.get(tunnel);
    if (use === undefined) throw new RangeError(`tunnel ${tunnel} is not counted`);
    return use;
  }
}

function checked(limits: QuotaLimits): QuotaLimits {
  for (const [name, limit] of Object.entries(limits)) {
    const isRate = name === 'packetsPerSecond' || name === 'bitsPerSecond';
    const legal = isRate ? limit > 0 : Number.isInteger(limit) && limit > 0;
    if (!legal) throw new RangeError(`${name} ${limit}`);
  }
  return limits;
}
