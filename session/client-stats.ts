/**
 * TEP-STATS as TEP-C asks it (tep-wire 7): what it has received and dropped since the tunnel was
 * opened, and the round trip of each connection, while media flow. Where the system tells nothing of the
 * connections, what may be under way goes by the answers (media/told-path.ts): then it asks more often.
 */
import type { ClientConnection, ClientTransaction } from './client-connection.ts';
import type { ClientData } from './client-data.ts';
import type { ClientRequests } from './client-requests.ts';
import type { Counters } from './counters.ts';
import type { MediaSender } from './media/media-sender.ts';
import { statsAttribute, statsOf } from './messages.ts';

const PERIOD_MS = 5_000;
/** Between questions about what is under way. */
const PAUSE_MS = 5;
/** For an answer without which nothing may go; its connection may have been lost. */
const PATIENCE_MS = 1_000;
const NEVER = Number.POSITIVE_INFINITY;

export interface ClientStatsParts {
  readonly counters: Counters;
  readonly data: ClientData;
  readonly media: MediaSender<ClientConnection>;
  readonly ready: readonly ClientConnection[];
  readonly requests: ClientRequests;
  readonly periodMs: number | undefined;
  readonly silentMs: number | undefined;
}

export class ClientStats {
  readonly #parts: ClientStatsParts;
  #askedMs = 0;
  /** The same of what is under way, and what connections had been given by then. */
  #trackedMs = 0;
  #given = 0;
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
    return Math.min(data.isFlowing ? this.#askedMs + periodMs : NEVER, this.#trackDueMs());
  }

  timeout(now: number): void {
    if (now >= this.#trackDueMs()) this.#track(now);
    else if (now >= this.dueMs()) this.ask(now);
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
    this.#given = counters.sentOctets;
    const purpose = { type: 'stats', given: this.#given } as const;
    requests.ask(c, purpose, [statsAttribute(counters, this.#before)], now);
  }

  /** `given`: to all connections, before this one was asked. */
  answered(c: ClientConnection, given: number, { sentAtMs }: ClientTransaction, now: number): void {
    const { media, ready } = this.#parts;
    c.rttMs = now - sentAtMs;
    c.arrivedOctets = Math.max(c.arrivedOctets ?? 0, given);
    let arrived = given;
    for (const { arrivedOctets = given } of ready) arrived = Math.min(arrived, arrivedOctets);
    media.answered(arrived, c.rttMs, now);
  }

  #track(now: number): void {
    this.#trackedMs = now;
    for (const c of [...this.#parts.ready]) this.askOn(c, now);
  }

  #trackDueMs(): number {
    const { counters, media, ready } = this.#parts;
    if (ready.length === 0 || !media.isBlind) return NEVER;
    const octets = counters.sentOctets - this.#given;
    if (octets >= media.stepOctets) return this.#trackedMs + PAUSE_MS;
    if (!media.isHeldBack) return NEVER;
    return this.#trackedMs + (octets > 0 ? PAUSE_MS : PATIENCE_MS);
  }
}
