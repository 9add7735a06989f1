/**
 * What calls have got for their media, and which calls still need it. Several calls, or forks of one, may
 * need the same. What nobody needs any more is kept for GRACE_MS: a call that is challenged comes again at
 * once, and the last packets of one that ended are still under way.
 *
 * Memory: MAX_HOLDINGS entries.
 */
import type { Mapped } from '../../sdp/addresses.ts';
import { both, type Need } from './media-needs.ts';

export const GRACE_MS = 2_000;
export const MAX_HOLDINGS = 16_384;

interface Holding {
  need: Need;
  state: 'asked' | 'granted' | 'failed';
  mapped: readonly Mapped[];
  readonly holders: Set<object>;
  /** When it is given back; Infinity as long as somebody holds it. */
  freeAtMs: number;
}

export class Holdings {
  readonly #all = new Map<string, Holding>();
  readonly #byHolder = new Map<object, Set<string>>();
  /** Keys that nobody holds. */
  readonly #free = new Set<string>();

  /** Held by `holder` from now on. Gives what has to be asked for. */
  hold(need: Need, holder: object): Need | undefined {
    const known = this.#all.get(need.key);
    if (known === undefined && this.#all.size >= MAX_HOLDINGS) return undefined;
    const holding = known ?? newHolding(need);
    this.#all.set(need.key, holding);
    holding.holders.add(holder);
    holding.freeAtMs = Number.POSITIVE_INFINITY;
    this.#free.delete(need.key);
    const own = this.#byHolder.get(holder) ?? new Set();
    this.#byHolder.set(holder, own.add(need.key));
    const before = holding.need;
    holding.need = both(before, need);
    const isKnown = known !== undefined && holding.need === before;
    if (isKnown && holding.state !== 'failed') return undefined;
    holding.state = 'asked';
    return holding.need;
  }

  isAwaited(key: string): boolean {
    return this.#all.get(key)?.state === 'asked';
  }

  /** Undefined: it is not to be had, or not yet. */
  mapped(key: string): readonly Mapped[] | undefined {
    const holding = this.#all.get(key);
    return holding?.state === 'granted' ? holding.mapped : undefined;
  }

  /** What came of it; undefined: nothing. True when what was granted before is another now. */
  settle(key: string, mapped: readonly Mapped[] | undefined): boolean {
    const holding = this.#all.get(key);
    if (holding === undefined) return false;
    const changed = holding.state === 'granted';
    holding.state = mapped === undefined ? 'failed' : 'granted';
    holding.mapped = mapped ?? [];
    return changed;
  }

  isHolder(holder: object): boolean {
    return this.#byHolder.has(holder);
  }

  /** The holder needs only these any more. True when it let something go. */
  keep(holder: object, keys: ReadonlySet<string>, now: number): boolean {
    const own = this.#byHolder.get(holder);
    if (own === undefined) return false;
    const gone = [...own].filter((key) => !keys.has(key));
    for (const key of gone) {
      own.delete(key);
      this.#leave(key, holder, now);
    }
    if (own.size === 0) this.#byHolder.delete(holder);
    return gone.length > 0;
  }

  keysOf(holder: object): Iterable<string> {
    return this.#byHolder.get(holder) ?? [];
  }

  holdersOf(key: string): Iterable<object> {
    return this.#all.get(key)?.holders ?? [];
  }

  /** What is to be given back now. */
  expired(now: number): Need[] {
    const needs: Need[] = [];
    for (const key of this.#free) {
      const holding = this.#all.get(key);
      if (holding === undefined || holding.freeAtMs > now) continue;
      this.#free.delete(key);
      this.#all.delete(key);
      needs.push(holding.need);
    }
    return needs;
  }

  nextTimeout(): number {
    // All have the same grace, so that the first one is due first.
    const [first] = this.#free;
    if (first === undefined) return Number.POSITIVE_INFINITY;
    return this.#all.get(first)?.freeAtMs ?? Number.POSITIVE_INFINITY;
  }

  #leave(key: string, holder: object, now: number): void {
    const holding = this.#all.get(key);
    holding?.holders.delete(holder);
    if (holding === undefined || holding.holders.size > 0) return;
    holding.freeAtMs = now + GRACE_MS;
    this.#free.add(key);
  }
}

function newHolding(need: Need): Holding {
  const freeAtMs = Number.POSITIVE_INFINITY;
  return { need, state: 'failed', mapped: [], holders: new Set(), freeAtMs };
}
