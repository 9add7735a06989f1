/**
 * All calls of the media gateway, and the pinholes that each of them opens. The one that was heard of
 * longest ago is the first in the table: it is the first to be asked about, and the first to go when
 * there are too many.
 */
import { type Pinhole, pinholeText } from '../../session/pinholes.ts';
import { Call, type Remembered } from './call.ts';
import type { Command } from './command.ts';
import type { Description } from './description.ts';

/** A few KiB each. A gateway of this size has 65,536 ports in use. */
export const MAX_CALLS = 16_384;

export type CallEnd = 'deleted' | 'gone' | 'crowded-out';

export interface CallEvents {
  /** The ways of a call from now on; none when it is over. */
  readonly pinholes: (callId: string, pinholes: readonly Pinhole[]) => void;
  /** It has its first ways. */
  readonly opened: (callId: string, ways: number) => void;
  /** It has no ways any more, because it is over. */
  readonly ended: (callId: string, why: CallEnd) => void;
}

interface Known {
  readonly call: Call;
  heardMs: number;
  ways: readonly Pinhole[];
}

export class Calls {
  readonly #events: CallEvents;
  readonly #calls = new Map<string, Known>();
  #ways = 0;

  constructor(events: CallEvents) {
    this.#events = events;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** How many ways are open. */
  get ways(): number {
    return this.#ways;
  }

  /** Those with open ways. */
  *open(): Iterable<readonly [callId: string, pinholes: readonly Pinhole[]]> {
    for (const [callId, { ways }] of this.#calls) if (ways.length > 0) yield [callId, ways];
  }

  find(callId: string): Call | undefined {
    return this.#calls.get(callId)?.call;
  }

  /** An offer or answer of this call went well: what it said, and what came of it. */
  settled(command: Command, said: Description, told: Description, nowMs: number): void {
    const known = this.#hear(command.callId, nowMs);
    if (command.name === 'answer') known.call.answered(command, said, told);
    else known.call.offered(command, said, told);
    this.#tell(command.callId, known);
  }

  deleted(command: Command): void {
    const known = this.#calls.get(command.callId);
    if (known === undefined) return;
    if (known.call.leave(command)) this.#tell(command.callId, known);
    else this.forget(command.callId, 'deleted');
  }

  /** What the gateway tells about a call; `parties` of one that we have heard ourselves add nothing. */
  remembered(callId: string, parties: readonly Remembered[], nowMs: number): void {
    const known = this.#hear(callId, nowMs);
    for (const party of parties) known.call.remember(party);
    this.#tell(callId, known);
  }

  forget(callId: string, why: CallEnd): void {
    const known = this.#calls.get(callId);
    if (known === undefined) return;
    this.#calls.delete(callId);
    if (known.ways.length === 0) return;
    this.#ways -= known.ways.length;
    this.#events.pinholes(callId, []);
    this.#events.ended(callId, why);
  }

  /** Whether anything was heard of this call since then. */
  heardSince(callId: string, timeMs: number): boolean {
    return (this.#calls.get(callId)?.heardMs ?? 0) > timeMs;
  }

  /** Calls that nothing was heard of since then, the longest silent first. */
  silentSince(timeMs: number, most: number): string[] {
    const silent: string[] = [];
    for (const [callId, { heardMs }] of this.#calls) {
      if (heardMs > timeMs || silent.length >= most) break;
      silent.push(callId);
    }
    return silent;
  }

  #hear(callId: string, nowMs: number): Known {
    const known = this.#calls.get(callId) ?? this.#begin(nowMs);
    known.heardMs = nowMs;
    this.#calls.delete(callId);
    this.#calls.set(callId, known);
    return known;
  }

  #begin(nowMs: number): Known {
    const [oldest] = this.#calls.keys();
    if (this.#calls.size >= MAX_CALLS && oldest !== undefined) this.forget(oldest, 'crowded-out');
    return { call: new Call(), heardMs: nowMs, ways: [] };
  }

  #tell(callId: string, known: Known): void {
    const pinholes = known.call.pinholes();
    if (textOf(pinholes) === textOf(known.ways)) return;
    const isFirst = known.ways.length === 0;
    this.#ways += pinholes.length - known.ways.length;
    known.ways = pinholes;
    this.#events.pinholes(callId, pinholes);
    if (isFirst) this.#events.opened(callId, pinholes.length);
  }
}

function textOf(pinholes: readonly Pinhole[]): string {
  return pinholes.map(pinholeText).join();
}
