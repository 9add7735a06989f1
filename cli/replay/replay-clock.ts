/**
 * The time of a replay: the time of the capture, but it never goes back (frames of several interfaces,
 * clocks that were set) and never leaps far ahead, so that a capture with days of silence, or a broken
 * time stamp, does not cost days of keep-alives.
 */
import type { CaptureTime } from '../../io/pcap/port.ts';

/** Longer than every timer of a tunnel. */
const MAX_LEAP_MS = 120_000;

export class ReplayClock {
  /**
   * Milliseconds since the first frame, minus the silences left out. Not since 1970: a capture may say
   * any time at all, and numbers beyond 2^53 do not go up by one any more.
   */
  now = 0;
  /** Time of capture of the last frame, for what is written. */
  seconds: number;
  nanoseconds: number;
  #newestMs: number;

  constructor(first: CaptureTime) {
    this.seconds = first.seconds;
    this.nanoseconds = first.nanoseconds;
    this.#newestMs = millisecondsOf(first);
  }

  isAt({ seconds, nanoseconds }: CaptureTime): boolean {
    return seconds === this.seconds && nanoseconds === this.nanoseconds;
  }

  tick(record: CaptureTime): number {
    const captureMs = millisecondsOf(record);
    this.now += Math.min(Math.max(captureMs - this.#newestMs, 0), MAX_LEAP_MS);
    this.#newestMs = Math.max(captureMs, this.#newestMs);
    this.seconds = record.seconds;
    this.nanoseconds = record.nanoseconds;
    return this.now;
  }
}

export function millisecondsOf({ seconds, nanoseconds }: CaptureTime): number {
  return seconds * 1000 + nanoseconds / 1_000_000;
}
