/**
 * Which TEP-S to connect to, of several in order of preference. A tunnel stays where it is: its token
 * is worth nothing elsewhere. A new one is opened at the first that answers: each has a head start
 * before the next one, so a server that is silent costs little, and one that is down costs nothing.
 *
 * One that failed, or did not let us in, is tried last for a time that doubles from failure to failure.
 * After that the preferred one has its turn again, but only when a tunnel is to be opened anyway.
 */
import type { Dial, ServerTarget } from '../io/dial/types.ts';
import { HeadStartRace } from './head-start-race.ts';

/** Longer than any TCP handshake that repeats its SYN once. */
const HEAD_START_MS = 2_000;
const FIRST_PENALTY_MS = 30_000;
const MOST_PENALTY_MS = 600_000;

export interface ServersOptions<Target> {
  readonly dial: (target: Target) => Dial;
  readonly clock: () => number;
  readonly headStartMs?: number;
}

interface Standing {
  failures: number;
  /** Tried last until then. */
  untilMs: number;
}

export class Servers<Target extends ServerTarget> {
  readonly #options: ServersOptions<Target>;
  #targets: readonly Target[];
  /** Of those that failed lately, by name. */
  readonly #standings = new Map<string, Standing>();
  /** Where connections lead that are not known to be part of the tunnel yet. */
  readonly #pending = new Map<number, Target>();
  #current: Target | undefined;

  constructor(targets: readonly Target[], options: ServersOptions<Target>) {
    this.#targets = targets;
    this.#options = options;
  }

  /** The one that has the tunnel. */
  get current(): Target | undefined {
    return this.#current;
  }

  /** The tunnel stays where it is, also when that one is no longer among them. */
  replace(targets: readonly Target[]): void {
    this.#targets = targets;
    const names = new Set(targets.map(serverName));
    for (const name of this.#standings.keys()) if (!names.has(name)) this.#standings.delete(name);
  }

  /** The tunnel of a predecessor is to be resumed, at the server of this name; false: there is none. */
  resume(name: string): boolean {
    this.#current = this.#targets.find((target) => serverName(target) === name);
    return this.#current !== undefined;
  }

  dial(conn: number, joins: boolean): Dial {
    const current = joins ? this.#current : undefined;
    const targets = current === undefined ? this.#inOrder() : [current];
    const { dial, headStartMs = HEAD_START_MS } = this.#options;
    return new HeadStartRace(targets, dial, headStartMs, {
      won: (target) => this.#pending.set(conn, target),
      failed: (target) => {
        if (target !== this.#current) this.#penalise(target);
      },
    });
  }

  /** The connection is part of the tunnel. */
  admitted(conn: number): void {
    const target = this.#pending.get(conn);
    this.#pending.delete(conn);
    if (target === undefined) return;
    this.#current = target;
    this.#standings.delete(serverName(target));
  }

  /** The connection is over; where it never became part of the tunnel, its server is to blame. */
  ended(conn: number): void {
    const target = this.#pending.get(conn);
    this.#pending.delete(conn);
    if (target !== undefined && target !== this.#current) this.#penalise(target);
  }

  /** There is no tunnel any more, and nobody is to blame. */
  closed(): void {
    this.#current = undefined;
  }

  /** The one that had the tunnel has lost it, or cannot be reached. */
  expired(): void {
    if (this.#current !== undefined) this.#penalise(this.#current);
    this.#current = undefined;
  }

  #inOrder(): Target[] {
    const now = this.#options.clock();
    const untilMs = (target: Target) => this.#standings.get(serverName(target))?.untilMs ?? 0;
    const good = this.#targets.filter((target) => untilMs(target) <= now);
    const bad = this.#targets.filter((target) => untilMs(target) > now);
    return [...good, ...bad.sort((a, b) => untilMs(a) - untilMs(b))];
  }

  #penalise(target: Target): void {
    const name = serverName(target);
    const { failures } = this.#standings.get(name) ?? { failures: 0 };
    const penaltyMs = Math.min(MOST_PENALTY_MS, FIRST_PENALTY_MS * 2 ** Math.min(failures, 10));
    const untilMs = this.#options.clock() + penaltyMs;
    this.#standings.set(name, { failures: failures + 1, untilMs });
  }
}

/** As it stands in the configuration. */
export function serverName({ host, port, tls }: ServerTarget): string {
  const literal = host.includes(':') ? `[${host}]` : host;
  return `${tls ? 'tls' : 'tcp'}://${literal}:${port}`;
}
