/**
 * TEP-STATS as TEP-C asks it (tep-wire 7): what it has received and dropped since the tunnel was
 * opened, and the round trip of each connection, while media flow.
 */
import type { ClientConnection } from './client-connection.ts';
import type { ClientData } from './client-data.ts';
import type { ClientRequests } from './client-requests.ts';
import type { Counters } from './counters.ts';
import { statsAttribute, statsOf } from './messages.ts';

const PERIOD_MS = 5_000;

export interface ClientStatsParts {
  readonly counters: Counters;
  readonly data: ClientData;
  readonly ready: readonly ClientConnection[];
  readonly requests: ClientRequests;
  readonly periodMs: number | undefined;
  readonly silentMs: number | undefined;
}

export class ClientStats {
  readonly #parts: ClientStatsParts;
  #askedMs = 0;
  /** What had been counted when the tunnel was opened. */
  #before: ReturnType<typeof statsOf>;

  constructor(parts: ClientStatsParts) {
    this.#parts = parts;
    this.#before = statsOf(parts.counters);
  }

  /** The tunnel is up, as it was before (`resumed`) or for the first time. */
  up(resumed: boolean, now: number): void {
    this.#askedMs = now;
    if (!resumed) this.#before = statsOf(this.#parts.counters);
  }

  dueMs(): number {
    const { data, periodMs = PERIOD_MS } = this.#parts;
    return data.isFlowing ? this.#askedMs + periodMs : Number.POSITIVE_INFINITY;
  }

  ask(now: number): void {
    const { data, ready, silentMs } = this.#parts;
    this.#askedMs = now;
    data.isFlowing = false;
    for (const c of [...ready]) {
      if (silentMs !== undefined) c.probe(now, silentMs);
      this.askOn(c, now);
    }
  }

  /** Now and on this connection, besides the regular ones. */
  askOn(c: ClientConnection, now: number): void {
    const { counters, requests } = this.#parts;
    requests.ask(c, { type: 'stats' }, [statsAttribute(counters, this.#before)], now);
  }
}
