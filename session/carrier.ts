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
/** A write that takes longer is stuck behind a loss. */
const STUCK_MS = 100;

const NEVER = Number.NEGATIVE_INFINITY;

export class Carrier {
  /** Octets of records that may wait to be written, unless it is one record. */
  allowance = FIRST_ALLOWANCE;
  outstanding = 0;
  isTroubled = false;
  rttMs: number | undefined;
  /** When the write under way began. */
  #beganMs = NEVER;
  /** When it last got media: of two that are as good, the one that has rested longer is taken. */
  lastMediaMs = NEVER;

  get isWriting(): boolean {
    return this.#beganMs !== NEVER;
  }

  /** Whether it is no place for media while there is another. */
  isSick(now: number): boolean {
    return this.isTroubled || this.isStuck(now);
  }

  /** Whether what was given to it does not get on at all. */
  isStuck(now: number): boolean {
    return this.isWriting && now - this.#beganMs > STUCK_MS;
  }

  learn({ outstanding, isTroubled, rttMs }: CarrierState): void {
    this.outstanding = outstanding;
    this.isTroubled = isTroubled;
    this.rttMs = rttMs;
  }

  /** All that is pending is being written from now on. */
  began(now: number): void {
    if (this.isWriting) return;
    this.#beganMs = now;
  }

  /** The system has taken all of it. */
  done(now: number): void {
    if (!this.isWriting) return;
    const isAtOnce = now - this.#beganMs <= AT_ONCE_MS;
    this.allowance = isAtOnce ? Math.min(MOST_ALLOWANCE, 2 * this.allowance) : LEAST_ALLOWANCE;
    this.#beganMs = NEVER;
  }
}
