/**
 * What waits of one flow and class, oldest first, and what became of all that came: the packets that
 * went, how long each had waited, and the drops by reason.
 *
 * Memory: about 300 octets; made with the first packet of its class.
 */
import { FAULTS, type Fault } from '../../wire/faults.ts';
import type { MediaClass } from './classes.ts';

/** Why a packet of a lane was dropped. */
export const LANE_DROPS = {
  /** It waited for longer than its class may. */
  AGE: 0,
  /** No room, and nothing less important to make some. */
  FULL: 1,
  /** Another piece of its video frame was dropped: nothing can be made of the rest. */
  FRAME: 2,
  /** The tunnel ended while it waited. */
  ENDED: 3,
  /** It waited for longer than its class may, and the tunnel has no connection at the moment. */
  UNREACHED: 4,
} as const;
export type LaneDrop = (typeof LANE_DROPS)[keyof typeof LANE_DROPS];

/** By reason. */
const DROP_FAULTS = [
  FAULTS.MEDIA_TOO_OLD,
  FAULTS.MEDIA_TOO_FULL,
  FAULTS.MEDIA_FRAME,
  FAULTS.MEDIA_ENDED,
  FAULTS.NO_CONNECTION,
] as const;

/** Upper bounds of the buckets of waiting time in milliseconds; one more is for all above. */
export const AGE_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 150, 300] as const;

const NONE = -1;

export class Lane {
  readonly mediaClass: MediaClass;
  /** Numbers of the packets that wait (cells.ts). */
  first = NONE;
  last = NONE;
  octets = 0;
  /** What it may still send in its turn. */
  credit = 0;
  /** Its neighbour in the round of its class; undefined: it is in none. */
  next: Lane | undefined;
  /** The video frame that lost a piece last, by its source and RTP timestamp. */
  brokenFrame = NONE;
  /** The video frame of which a piece went last: to leave out its rest would be a waste of that. */
  begunFrame = NONE;
  readonly drops = new Uint32Array(DROP_FAULTS.length);
  /** Packets that went without waiting, which nearly all do. */
  wentAtOnce = 0;
  /** Packets that waited and went, by how long. */
  readonly #ages = new Uint32Array(AGE_BOUNDS_MS.length + 1);

  constructor(mediaClass: MediaClass) {
    this.mediaClass = mediaClass;
  }

  get isEmpty(): boolean {
    return this.first === NONE;
  }

  /** A packet went that had waited for so long. */
  went(ageMs: number): void {
    const bucket = bucketOf(ageMs);
    this.#ages[bucket] = (this.#ages[bucket] ?? 0) + 1;
  }

  /** Packets that went, by how long they had waited. */
  get ages(): number[] {
    const [shortest = 0, ...longer] = this.#ages;
    return [this.wentAtOnce + shortest, ...longer];
  }

  /** Gives the fault under which all lanes together count it. */
  lost(reason: LaneDrop): Fault {
    this.drops[reason] = (this.drops[reason] ?? 0) + 1;
    return DROP_FAULTS[reason];
  }

  /** Whether this is a piece of a frame of which another piece was dropped. */
  isBroken(frame: number): boolean {
    return frame !== NONE && frame === this.brokenFrame;
  }
}

function bucketOf(ageMs: number): number {
  for (let i = 0; i < AGE_BOUNDS_MS.length; i++) if (ageMs < (AGE_BOUNDS_MS[i] ?? 0)) return i;
  return AGE_BOUNDS_MS.length;
}
