/**
 * How long to wait before something is tried again: doubling from the first wait to the longest, each
 * time somewhere in the upper half, so that clients that lost the same server do not come back
 * together.
 */
export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Connecting: a call is waiting. */
export const RECONNECT: Backoff = { firstMs: 250, mostMs: 30_000 };

/** `attempt` counts from 0; `random` is one octet. */
export function backoffMs(attempt: number, random: number, waits: Backoff): number {
  const full = Math.min(waits.mostMs, waits.firstMs * 2 ** Math.min(attempt, 16));
  return full / 2 + (full / 2) * (random / 255);
}
