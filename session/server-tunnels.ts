/**
 * The tunnels of TEP-S: found by token when one is joined or resumed, and forgotten when LIFETIME is
 * over (tep-wire 3, 7).
 *
 * A token is 16 random octets. The table is keyed by its hash, and what is found is compared in
 * constant time: how long an answer takes tells nothing about how much of a guess was right.
 *
 * Memory: a tunnel takes about 1.5 KiB besides its connections (connection.ts) and its bindings
 * (server-bindings.ts), each of which a quota bounds.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Endpoint } from '../wire/address.ts';
import { FAULTS } from '../wire/faults.ts';
import { Counters } from './counters.ts';
import { Deadlines, type Timed } from './deadlines.ts';
import type { ServerLimits } from './limits.ts';
import type { MediaSender } from './media/media-sender.ts';
import { TOKEN_LEN } from './messages.ts';
import type { ServerOutput } from './outputs.ts';
import { type Placement, placedToken } from './placement.ts';
import type { UserRates } from './quota.ts';
import type { ServerSlot } from './server-bindings.ts';
import type { ServerConnection } from './server-connection.ts';
import { nextTunnelState, type TunnelEvent, type TunnelState } from './table.ts';
import type { RandomSource } from './tunnel-end.ts';

export class Tunnel implements Timed {
  readonly id: number;
  readonly token: Uint8Array;
  /** Empty where nobody is asked who he is. */
  readonly user: string;
  /** The client's address when the tunnel was opened: it stays the public one in reflexive mode. */
  readonly outer: Endpoint;
  readonly counters = new Counters();
  /** Shared by all tunnels of the user. */
  readonly rates: UserRates;
  readonly openedMs: number;
  /** Records may take any of these. */
  readonly ready: ServerConnection[] = [];
  readonly media: MediaSender<ServerConnection>;
  readonly slots = new Set<ServerSlot>();
  /** Only `Tunnels.move` changes it. */
  state: TunnelState = 'opening';
  dueMs = Number.POSITIVE_INFINITY;
  heapAt = -1;

  constructor(
    id: number,
    token: Uint8Array,
    user: string,
    outer: Endpoint,
    rates: UserRates,
    mediaSender: TunnelsOptions['mediaSender'],
    now: number,
  ) {
    this.media = mediaSender(this.ready, this.counters);
    this.rates = rates;
    this.openedMs = now;
    this.id = id;
    this.token = token;
    this.user = user;
    this.outer = outer;
  }
}

export interface TunnelsOptions {
  readonly counters: Counters;
  readonly random: RandomSource;
  readonly placement: Placement | undefined;
  /** These may change. */
  readonly limits: Pick<ServerLimits, 'lifetimeMs'>;
  tell(output: ServerOutput): void;
  /** The way out of a tunnel with these connections. */
  mediaSender(
    ready: readonly ServerConnection[],
    counters: Counters,
  ): MediaSender<ServerConnection>;
}

export class Tunnels {
  readonly #options: TunnelsOptions;
  readonly #byToken = new Map<string, Tunnel>();
  /** Tunnels without a connection, by the end of their LIFETIME. */
  readonly #lost = new Deadlines<Tunnel>();
  #lastId = 0;

  constructor(options: TunnelsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byToken.size;
  }

  all(): Iterable<Tunnel> {
    return this.#byToken.values();
  }

  /** The number that the next tunnel will have. */
  nextId(): number {
    return this.#lastId + 1;
  }

  add(user: string, outer: Endpoint, rates: UserRates, now: number): Tunnel {
    const token = this.#newToken();
    const { mediaSender } = this.#options;
    this.#lastId += 1;
    const tunnel = new Tunnel(this.#lastId, token, user, outer, rates, mediaSender, now);
    this.#byToken.set(keyOf(token), tunnel);
    return tunnel;
  }

  #newToken(): Uint8Array {
    const { random, placement } = this.#options;
    const token = random(TOKEN_LEN);
    if (placement === undefined) return token;
    return placedToken(token, placement.index, placement.count);
  }

  find(token: Uint8Array): Tunnel | undefined {
    const tunnel = this.#byToken.get(keyOf(token));
    return tunnel !== undefined && timingSafeEqual(tunnel.token, token) ? tunnel : undefined;
  }

  remove(tunnel: Tunnel): void {
    this.#byToken.delete(keyOf(tunnel.token));
    this.#lost.remove(tunnel);
  }

  /** The only way to another state. False when the table does not allow the event. */
  move(tunnel: Tunnel, event: TunnelEvent, now: number): boolean {
    const from = tunnel.state;
    const to = nextTunnelState(from, event);
    if (to === undefined) {
      this.#options.counters.note(FAULTS.ILLEGAL_EVENT);
      return false;
    }
    tunnel.state = to;
    this.#options.tell({ type: 'tunnel-state', tunnel: tunnel.id, from, to, event });
    if (to === 'lost') this.#lost.set(tunnel, now + this.#options.limits.lifetimeMs);
    else this.#lost.remove(tunnel);
    return true;
  }

  nextTimeout(): number {
    return this.#lost.next();
  }

  /** One tunnel whose LIFETIME is over. */
  due(now: number): Tunnel | undefined {
    return this.#lost.due(now);
  }
}

function keyOf(token: Uint8Array): string {
  return createHash('sha256').update(token).digest('base64');
}
