/**
 * Which connection of a tunnel the next record takes: the sender's own policy (tep-wire 7). Here the
 * one with the fewest octets waiting, the first of equals.
 */
import type { Connection } from './connection.ts';

export function leastPending<C extends Connection>(ready: readonly C[]): C | undefined {
  let best = ready[0];
  for (let i = 1; i < ready.length; i++) {
    const other = ready[i];
    if (best !== undefined && other !== undefined && other.queue.length < best.queue.length) {
      best = other;
    }
  }
  return best;
}
