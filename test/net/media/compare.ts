/** Packets as they were sent on one side of the tunnel, and as they arrived on the other. */
import type { Datagram } from './datagrams.ts';

export interface Comparison {
  readonly sent: number;
  readonly arrived: number;
  /** Before the first that arrived: sent while there was no tunnel yet. */
  readonly early: number;
  /** Sent after it, and missing. */
  readonly missing: number;
  /** Arrived, though nobody sent such a packet. */
  readonly changed: number;
  readonly repeated: number;
  readonly outOfOrder: number;
}

export function compare(sent: readonly Datagram[], arrived: readonly Datagram[]): Comparison {
  const numberOf = new Map(sent.map(({ payload }, n) => [payload, n]));
  const numbers = arrived.map(({ payload }) => numberOf.get(payload));
  const known = numbers.filter((n) => n !== undefined);
  const different = new Set(known);
  const first = Math.min(sent.length, ...known);
  return {
    sent: sent.length,
    arrived: arrived.length,
    early: first,
    missing: sent.length - first - different.size,
    changed: numbers.length - known.length,
    repeated: known.length - different.size,
    outOfOrder: known.filter((n, i) => i > 0 && n < (known[i - 1] ?? 0)).length,
  };
}

/** Why the comparison is none of a good call; undefined when it is. */
export function complaint(what: string, result: Comparison): string | undefined {
  const { arrived, missing, changed, repeated, outOfOrder } = result;
  const isGood = arrived > 0 && missing + changed + repeated + outOfOrder === 0;
  return isGood ? undefined : `${what}: ${JSON.stringify(result)}`;
}
