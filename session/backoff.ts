/**
 * How long to wait before the next connection attempt: doubling from FIRST to MOST, each time
 * somewhere in the upper half, so that clients that lost the same server do not come back together.
 */
const FIRST_MS = 250;
const MOST_MS = 30_000;

/** `attempt` counts from 0; `random` is one octet. */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return full / 2 + (full / 2) * (random / 255);
}
