/**
 * All calls of the media gateway, and the pinholes that each of them opens. The one that was heard of
 * longest ago is the first in the table: it is the first to be asked about, and the first to go when
 * there are too many.
 */
import { pinholeText } from '../../session/pinholes.ts';
import { Call, type Remembered, type Ways } from './call.ts';
import type { Command } from './command.ts';
import type { Description } from './description.ts';
import { type IsBound, UnboundWays } from './unbound-ways.ts';

/** A gateway of this size has 65,536 ports in use. */
export const MAX_CALLS = 16_384;
/** Of all calls: 8 KiB each, which is two phones with audio and a line of video now and then. */
const MAX_OCTETS = 128 * 1024 * 1024;
/** One without ways is looked for among so many of the oldest, before the oldest goes. */
const LOOK_AT = 64;

/**
 * Who says nothing at all to an offer within a dialog has refused it (RFC 3261 clause 17.1.1.2, Timer B). Who lets
 * people decide may take longer; what comes of an answer then is the same.
 */
const ANSWERED_MS = 32_000;

/** `no-tunnel`: it may go on, but nobody has the addresses of its ways. */
export type CallEnd = 'deleted' | 'gone' | 'crowded-out' | 'no-tunnel';

export interface CallEvents {
  /** The ways of a call from now on; none when it is over. */
  readonly ways: (callId: string, ways: Ways) => void;
  /** It has its first ways. */
  readonly opened: (callId: string, ways: number) => void;
  /** It has no ways any more. */
  readonly ended: (callId: string, why: CallEnd) => void;
  /** One was forgotten, with ways or without, because there are too many or they say too much. */
  readonly crowdedOut: () => void;
}

interface Known {
  readonly call: Call;
  readonly unbound: UnboundWays;
  heardMs: number;
  ways: Ways;
  octets: number;
}

const NO_WAYS: Ways = { pinholes: [], users: [] };

export class Calls {
  readonly #events: CallEvents;
  readonly #isBound: IsBound;
  readonly #calls = new Map<string, Known>();
  /** Somebody has ended them by names that are not theirs. */
  readonly #doubted = new Set<string>();
  #ways = 0;
  #octets = 0;

  constructor(events: CallEvents, isBound: IsBound) {
    this.#events = events;
    this.#isBound = isBound;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** How many ways are open. */
  get ways(): number {
    return this.#ways;
  }

  /** Those with open ways. */
  *open(): Iterable<readonly [callId: string, ways: Ways]> {
    for (const [callId, { ways }] of this.#calls) if (ways !== NO_WAYS) yield [callId, ways];
  }

  /** Whether it has ways. */
  isOpen(callId: string): boolean {
    return (this.#calls.get(callId)?.ways ?? NO_WAYS) !== NO_WAYS;
  }

  find(callId: string): Call | undefined {
    return this.#calls.get(callId)?.call;
  }

  /** An offer or answer of this call went well: what it said, and what came of it. */
  settled(command: Command, said: Description, told: Description, nowMs: number): void {
    const known = this.#hear(command.callId, nowMs);
    if (command.name === 'answer') known.call.answered(command, said, told);
    else known.call.offered(command, said, told);
    known.call.shrink(command);
    known.unbound.named(said);
    this.#tell(command.callId, known);
  }

  /** One whose names we do not know is no end: the gateway may keep the call then, and is asked soon. */
  deleted(command: Command): void {
    const { callId } = command;
    const known = this.#calls.get(callId);
    if (known === undefined) return;
    const leave = known.call.leave(command);
    if (leave === 'over') this.forget(callId, 'deleted');
    else if (leave === 'goes-on') this.#tell(callId, known);
    else this.#doubted.add(callId);
  }

  /**
   * What the gateway tells about a call; `parties` of one that we have heard ourselves add nothing. A moment to look
   * whether its phones have their addresses.
   */
  remembered(callId: string, parties: readonly Remembered[], nowMs: number): void {
    const isSilent = !this.heardSince(callId, nowMs - ANSWERED_MS);
    const known = this.#hear(callId, nowMs);
    if (isSilent) known.call.lapse();
    for (const party of parties) known.call.remember(party);
    // Looks are that far apart, whoever has had doubts meanwhile.
    if (isSilent) known.unbound.look(known.call.ways().pinholes, this.#isBound);
    const before = known.ways.pinholes.length;
    this.#tell(callId, known);
    if (before > 0 && known.ways.pinholes.length === 0) this.#events.ended(callId, 'no-tunnel');
  }

  forget(callId: string, why: CallEnd): void {
    const known = this.#calls.get(callId);
    if (known === undefined) return;
    this.#calls.delete(callId);
    this.#doubted.delete(callId);
    this.#octets -= known.octets;
    if (known.ways === NO_WAYS) return;
    const count = known.ways.pinholes.length;
    this.#ways -= count;
    this.#events.ways(callId, NO_WAYS);
    if (count > 0) this.#events.ended(callId, why);
  }

  /** Whether anything was heard of this call since then. */
  heardSince(callId: string, timeMs: number): boolean {
    return (this.#calls.get(callId)?.heardMs ?? 0) > timeMs;
  }

  /** Calls that may be over: those in doubt, then those that nothing was heard of since then, longest first. */
  doubtful(timeMs: number, most: number): string[] {
    const doubtful = new Set([...this.#doubted].slice(0, most));
    for (const [callId, { heardMs }] of this.#calls) {
      if (heardMs > timeMs || doubtful.size >= most) break;
      doubtful.add(callId);
    }
    return [...doubtful];
  }

  #hear(callId: string, nowMs: number): Known {
    const known = this.#calls.get(callId) ?? this.#begin(nowMs);
    known.heardMs = nowMs;
    this.#doubted.delete(callId);
    this.#calls.delete(callId);
    this.#calls.set(callId, known);
    return known;
  }

  #begin(nowMs: number): Known {
    if (this.#calls.size >= MAX_CALLS) this.#crowdOut();
    const unbound = new UnboundWays();
    return { call: new Call(), unbound, heardMs: nowMs, ways: NO_WAYS, octets: 0 };
  }

  /** The oldest that has nothing open, or the oldest; never the newest, which is the one that needs the room. */
  #crowdOut(): void {
    let oldest: string | undefined;
    let looked = 0;
    for (const [callId, { ways }] of this.#calls) {
      looked += 1;
      if (looked > LOOK_AT || looked === this.#calls.size) break;
      oldest ??= callId;
      if (ways !== NO_WAYS) continue;
      oldest = callId;
      break;
    }
    if (oldest === undefined) return;
    this.forget(oldest, 'crowded-out');
    this.#events.crowdedOut();
  }

  #tell(callId: string, known: Known): void {
    const named = known.call.ways();
    const ways = { ...named, pinholes: known.unbound.open(named.pinholes) };
    this.#octets -= known.octets;
    known.octets = callId.length + known.call.octets(named);
    this.#octets += known.octets;
    while (this.#octets > MAX_OCTETS && this.#calls.size > 1) this.#crowdOut();
    if (textOf(ways) === textOf(known.ways)) return;
    const isFirst = known.ways.pinholes.length === 0;
    this.#ways += ways.pinholes.length - known.ways.pinholes.length;
    known.ways = textOf(ways) === '' ? NO_WAYS : ways;
    this.#events.ways(callId, known.ways);
    if (isFirst) this.#events.opened(callId, ways.pinholes.length);
  }
}

function textOf({ pinholes, users }: Ways): string {
  const logins = users.map(({ name, password }) => `${name} ${password}`);
  return [...pinholes.map(pinholeText), ...logins].join();
}
