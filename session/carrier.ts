/**
 * What is known of the connection below the records, and how much of them it is given at a time: what it
 * has been given can neither be dropped nor go another way.
 *
 * Each write may bring ALLOWANCE octets more than the one before as long as the system takes them at
 * once; one that had to wait shows that the system is full, and the next is as short as a segment. So what
 * waits, waits in our own queue, also where nothing can be asked of the system.
 */

/** What the agent knows of a connection from the system. */
export interface CarrierState {
  /** Octets that the other end has not acknowledged. */
  readonly outstanding: number;
  /** A segment is lost, and what follows it waits: no data should be added. */
  readonly isTroubled: boolean;
  /** Smoothed. */
  readonly rttMs: number;
}

/** As long as a record can be, and one octet. */
export const MOST_ALLOWANCE = 65_536;
const FIRST_ALLOWANCE = 16_384;
const LEAST_ALLOWANCE = 1_400;
/** A write that took no longer did not wait for the other end, only for the event loop. */
const AT_ONCE_MS = 2;
/** A write of which nothing was taken for so long is stuck behind a loss. */
const STUCK_MS = 100;
/** Nothing was taken for so long, or the loss was not mended in that time, or in so many round trips. */
const DEAD_WRITE_MS = 1_000;
const STALL_MS = 250;
const STALL_ROUND_TRIPS = 3;
/** A sign of loss is forgotten after this: data have to flow for it to be told again, or its end. */
const SIGN_MS = 1_000;

const NEVER = Number.NEGATIVE_INFINITY;

export class Carrier {
  /** Octets of records that may wait to be written, unless it is one record. */
  allowance = FIRST_ALLOWANCE;
  outstanding = 0;
  rttMs: number | undefined;
  /** Since when it shows loss, and when it was last said. */
  #troubledMs = NEVER;
  #saidMs = NEVER;
  /** When the write under way began, and when part of it was last taken. */
  #beganMs = NEVER;
  #movedMs = NEVER;
  /** When it last got media: of two that are as good, the one that has rested longer is taken. */
  lastMediaMs = NEVER;

  get isWriting(): boolean {
    return this.#beganMs !== NEVER;
  }

  /** Whether it is no place for media while there is another. */
  isSick(now: number): boolean {
    return this.#isTroubled(now) || this.#unmovedMs(now) > STUCK_MS;
  }

  /** Whether it is given up for a new one. */
  isStalled(now: number): boolean {
    const limitMs = Math.max(STALL_MS, STALL_ROUND_TRIPS * (this.rttMs ?? 0));
    const isLost = this.#isTroubled(now) && now - this.#troubledMs > limitMs;
    return isLost || this.#unmovedMs(now) > DEAD_WRITE_MS;
  }

  #isTroubled(now: number): boolean {
    return this.#troubledMs !== NEVER && now - this.#saidMs < SIGN_MS;
  }

  #unmovedMs(now: number): number {
    return this.isWriting ? now - this.#movedMs : 0;
  }

  learn({ outstanding, isTroubled, rttMs }: CarrierState, now: number): void {
    this.outstanding = outstanding;
    this.rttMs = rttMs;
    if (!isTroubled) this.#troubledMs = NEVER;
    else if (!this.#isTroubled(now)) this.#troubledMs = now;
    this.#saidMs = now;
  }

  /** All that is pending is being written from now on. */
  began(now: number): void {
    if (this.isWriting) return;
    this.#beganMs = now;
    this.#movedMs = now;
  }

  /** The system has taken some of it. */
  moved(now: number): void {
    this.#movedMs = now;
  }

  /** The system has taken all of it. */
  done(now: number): void {
    if (!this.isWriting) return;
    const isAtOnce = now - this.#beganMs <= AT_ONCE_MS;
    this.allowance = isAtOnce ? Math.min(MOST_ALLOWANCE, 2 * this.allowance) : LEAST_ALLOWANCE;
    this.#beganMs = NEVER;
  }
}
