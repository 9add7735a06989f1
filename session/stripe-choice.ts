/**
 * Which connection of a tunnel the next record takes: the sender's own policy (tep-wire 7).
 *
 * Media go to the connection that is not being written and has the least under way; of equals to the one
 * that has rested longest. One that has lost a segment gets on getting its part, which is smaller, for it
 * has more under way: TCP notices that a repeated segment is lost as well only by what arrives behind
 * it, and else waits for its timer. Avoided is one that does not get on at all.
 */
import type { Connection } from './connection.ts';

/** For `length` octets of media; undefined: they have to wait. */
export function carrierFor<C extends Connection>(
  ready: readonly C[],
  length: number,
  now: number,
): C | undefined {
  const only = ready[0];
  if (ready.length === 1 && only !== undefined) return only.canTake(length) ? only : undefined;
  const isAnyWell = ready.some((c) => !c.carrier.isStuck(now));
  let best: C | undefined;
  for (const c of ready) {
    if (!c.canTake(length) || (isAnyWell && c.carrier.isStuck(now))) continue;
    if (best === undefined || isLessLoaded(c, best)) best = c;
  }
  return best;
}

/** Whether media are to pass this connection by for another one. */
export function isAvoided(c: Connection, ready: readonly Connection[], now: number): boolean {
  return c.carrier.isStuck(now) && ready.some((other) => !other.carrier.isStuck(now));
}

/** For control messages, which may always be added: the one with the fewest octets waiting. */
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

function isLessLoaded(c: Connection, than: Connection): boolean {
  const difference =
    c.carrier.outstanding + c.queue.length - (than.carrier.outstanding + than.queue.length);
  if (difference !== 0) return difference < 0;
  return c.carrier.lastMediaMs < than.carrier.lastMediaMs;
}
