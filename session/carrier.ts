/**
 * What is known of the connection below the records, and how much of them it is given at a time: what it
 * has been given can neither be dropped nor go another way.
 *
 * Each write may be twice as long as the one before while the system takes them at once; one that had
 * to wait shows that the system is full, and the next is as short as a segment. So what waits, waits in
 * our own queue, also where nothing can be asked of the system. Time alone does not show it: a process
 * that is not let run for some milliseconds would give least when it has most to give.
 */

import { RecentLeast } from './recent-least.ts';

/** What the agent knows of a connection from the system. */
export interface CarrierState {
  /** Octets that the other end has not acknowledged. */
  readonly outstanding: number;
  /** Octets that it has acknowledged since the connection was made; absent or 0: the system does not count them. */
  readonly acknowledged?: number;
  /** A segment that was sent is lost and not mended yet. */
  readonly isTroubled: boolean;
  /**
   * Segments that came before one that had been sent earlier, since the connection was made: nearly always that one
   * was lost. Absent or 0: the system does not count them.
   */
  readonly outOfOrder?: number;
  /**
   * Nothing at all has come back for longer than a round trip explains: the way is interrupted. What is added now
   * cannot be dropped any more, and will be old when the way is there again.
   */
  readonly isSilent?: boolean;
  /** Smoothed. */
  readonly rttMs: number;
}

/** As long as a record can be, and one octet. */
export const MOST_ALLOWANCE = 65_536;
const FIRST_ALLOWANCE = 16_384;
const LEAST_ALLOWANCE = 1_400;
/** A write that waited no longer did not wait for the other end, only for the event loop. */
const AT_ONCE_MS = 2;

/** Without progress for so long, it waits for a timer of TCP: one loss is mended in a round trip. */
const STUCK_MS = 100;
const STUCK_ROUND_TRIPS = 2.5;
/** After that a new connection is sooner through than this one. */
const STALLED_MS = 250;
const STALLED_ROUND_TRIPS = 4;
/** Where only writes tell: a slow path takes as long for one. */
const DEAD_WRITE_MS = 1_000;

/** A way that has become longer is taken for a queue for twice as long at most. */
const LEAST_RTT_MS = 10_000;

const NEVER = Number.NEGATIVE_INFINITY;

export class Carrier {
  /** Octets of records that may wait to be written, unless it is one record. */
  allowance = FIRST_ALLOWANCE;
  /** As it was last told, and what was written since. */
  outstanding = 0;
  isTroubled = false;
  /** A segment that was to come was lost, since the last time that anything was told. */
  hasMissed = false;
  isSilent = false;
  rttMs: number | undefined;
  /** When it last got media: of two that are as good, the one that has rested longer is taken. */
  lastMediaMs = NEVER;
  /** When the write under way began, and when part of it was last taken. */
  #beganMs = NEVER;
  #movedMs = NEVER;
  /** Whether the system has left some of the write under way. */
  #hasWaited = false;
  /** Octets that were taken since the start, and how many were acknowledged. */
  #taken = 0;
  #acknowledged = 0;
  #outOfOrder = 0;
  /** How long something had been unacknowledged without progress, when it was last told. */
  #progressMs = NEVER;
  #unacknowledgedMs = 0;
  readonly #leastRtt = new RecentLeast(LEAST_RTT_MS);

  /** Of the smoothed ones of late: with no queue on the way. Infinity: none is known. */
  get leastRttMs(): number {
    return this.#leastRtt.value;
  }

  get isWriting(): boolean {
    return this.#beganMs !== NEVER;
  }

  /** Whether it does not get on: no place for media while there is another. */
  isStuck(now: number): boolean {
    const roundTripsMs = STUCK_ROUND_TRIPS * (this.rttMs ?? 0);
    return (
      this.#unmovedMs(now) > STUCK_MS || this.#unacknowledgedMs > Math.max(STUCK_MS, roundTripsMs)
    );
  }

  /** Whether it is given up for a new one. */
  isStalled(now: number): boolean {
    const roundTripsMs = STALLED_ROUND_TRIPS * (this.rttMs ?? 0);
    return (
      this.#unmovedMs(now) > DEAD_WRITE_MS ||
      this.#unacknowledgedMs > Math.max(STALLED_MS, roundTripsMs)
    );
  }

  learn(state: CarrierState, now: number): void {
    const { outstanding, isTroubled, rttMs, isSilent = false, outOfOrder = 0 } = state;
    this.outstanding = outstanding;
    this.isTroubled = isTroubled;
    this.hasMissed = outOfOrder > this.#outOfOrder;
    this.#outOfOrder = outOfOrder;
    this.isSilent = isSilent;
    this.rttMs = rttMs;
    this.#leastRtt.see(rttMs, now);
    const acknowledged = this.#acknowledgedOf(state);
    if (outstanding === 0 || acknowledged > this.#acknowledged) {
      this.#acknowledged = acknowledged;
      this.#progressMs = now;
      // What is acknowledged makes room for more of a write under way.
      this.#movedMs = now;
    }
    this.#unacknowledgedMs = now - this.#progressMs;
  }

  /**
   * A write that the system takes by and by is in `#taken` only when it has all of it: until then no
   * difference shows that it gets on, which on a slow path is for as long as a connection may stall.
   */
  #acknowledgedOf({ acknowledged = 0, outstanding }: CarrierState): number {
    return acknowledged > 0 ? acknowledged : this.#taken - outstanding;
  }

  /** All that is pending is being written from now on. */
  began(now: number): void {
    if (this.isWriting) return;
    this.#beganMs = now;
    this.#movedMs = now;
    this.#hasWaited = false;
    if (this.outstanding === 0) this.#progressMs = now;
  }

  /** The system has taken so many octets; `isAll`: nothing of the write is left. */
  took(octets: number, isAll: boolean, now: number): void {
    this.#taken += octets;
    // Where nothing is told, nothing would take it away again.
    if (this.rttMs !== undefined) this.outstanding += octets;
    if (octets > 0) this.#movedMs = now;
    if (!isAll) this.#hasWaited = true;
    if (!isAll || !this.isWriting) return;
    const isAtOnce = !this.#hasWaited || now - this.#beganMs <= AT_ONCE_MS;
    this.allowance = isAtOnce ? Math.min(MOST_ALLOWANCE, 2 * this.allowance) : LEAST_ALLOWANCE;
    this.#beganMs = NEVER;
  }

  #unmovedMs(now: number): number {
    return this.isWriting ? now - this.#movedMs : 0;
  }
}
