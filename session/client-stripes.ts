/**
 * The number of TEP-C's connections, and those that have to be replaced: a connection that does not get
 * on gets a successor beside it, which takes its place once it is admitted. While the path is
 * dead, attempts follow each other quickly, for the one that is made when it is back is through
 * before the timers of TCP have noticed.
 */
import type { ClientConnection } from './client-connection.ts';
import type { Connections } from './connections.ts';
import type { Counters } from './counters.ts';
import type { ClientOutput } from './outputs.ts';
import { StripeCount } from './stripe-count.ts';
import type { Stripes } from './stripes.ts';

/** How often the number is judged, and stalls are looked for, while media flow. */
const LOOK_MS = 50;
/** An attempt that was answered is through sooner than another one would be, if it is at all. */
const OPENING_MS = 1_000;
const NEVER = Number.POSITIVE_INFINITY;

export interface ClientStripesParts {
  readonly connections: Connections<ClientConnection, ClientOutput>;
  readonly ready: readonly ClientConnection[];
  readonly counters: Counters;
  readonly stripes: Stripes;
  readonly least: number;
  readonly most: number;
}

export class ClientStripes {
  readonly #parts: ClientStripesParts;
  #count: StripeCount | undefined;
  #wanted: number;
  #lookMs = NEVER;

  constructor(parts: ClientStripesParts) {
    this.#parts = parts;
    this.#wanted = parts.least;
  }

  /** Whether looking at them can change anything. */
  get #isFixed(): boolean {
    return this.#parts.least === this.#parts.most;
  }

  /** The tunnel is up: as many as were wanted last. */
  up(now: number): void {
    const { counters, least, most, stripes } = this.#parts;
    this.#count ??= new StripeCount(least, most, now);
    this.#count.wanted(recordsOf(counters), now);
    stripes.want(this.#wanted, now);
    this.#lookMs = now + LOOK_MS;
  }

  /** A connection was admitted: what it replaces writes what it has and goes. */
  admitted(c: ClientConnection, now: number): void {
    const before = this.#parts.ready.find((other) => other !== c && other.stripe === c.stripe);
    if (before !== undefined) this.#parts.connections.retire(before, now);
    this.#hurryBefore(c, now);
  }

  /**
   * Whoever was asked for before `c` and is not there yet has lost its first segment, for `c` has gone to TEP-S and back
   * three times since. It would wait a second for the next one, and begin with a window of one segment then (RFC 5681 3.1).
   */
  #hurryBefore(c: ClientConnection, now: number): void {
    const { connections, stripes } = this.#parts;
    for (const other of [...connections.all()]) {
      if (other.state !== 'connecting' || other.conn > c.conn) continue;
      stripes.again(other.stripe, other.conn, now);
      connections.end(other, 'shut', 0, now);
    }
  }

  /** Something was learnt about the system below a connection: of losses on the way to TEP-S and on the way back. */
  learnt(c: ClientConnection, now: number): void {
    if (c.carrier.isTroubled || c.carrier.hasMissed) this.#count?.lossSeen(now);
    if (now >= this.#lookMs) this.look(now);
  }

  deadline(isFlowing: boolean): number {
    return isFlowing ? this.#lookMs : NEVER;
  }

  /** To be followed by `ClientTunnel.connect`. */
  look(now: number): void {
    this.#lookMs = now + LOOK_MS;
    for (const c of [...this.#parts.ready]) {
      if (c.carrier.isStuck(now)) this.#count?.lossSeen(now);
      if (c.carrier.isStalled(now)) this.#replace(c, now);
    }
    if (!this.#isFixed) this.#adapt(now);
  }

  #adapt(now: number): void {
    const { connections, counters, ready, stripes } = this.#parts;
    const wanted = this.#count?.wanted(recordsOf(counters), now) ?? this.#wanted;
    if (wanted > this.#wanted) stripes.want(wanted, now);
    if (wanted < this.#wanted) {
      stripes.wantAtMost(wanted);
      for (const c of [...ready]) if (c.stripe >= wanted) connections.retire(c, now);
    }
    this.#wanted = wanted;
  }

  #replace(c: ClientConnection, now: number): void {
    const { connections, stripes } = this.#parts;
    const last = connections.find(stripes.connOf(c.stripe));
    if (last !== undefined && isOpening(last, now)) return;
    const attempt = stripes.replace(c.stripe, c.carrier.rttMs ?? 0, now);
    const tried = attempt === c.conn ? undefined : connections.find(attempt);
    if (tried !== undefined) connections.end(tried, 'shut', 0, now);
  }
}

function isOpening({ state, sinceMs }: ClientConnection, now: number): boolean {
  return (state === 'opening' || state === 'challenged') && now - sinceMs < OPENING_MS;
}

function recordsOf({ sentRecords, receivedRecords }: Counters): number {
  return Math.max(sentRecords, receivedRecords);
}
