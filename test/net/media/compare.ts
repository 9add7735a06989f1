/** Packets as they were sent on one side of the tunnel, and as they arrived on the other. */
import type { Datagram } from './datagrams.ts';

export interface Comparison {
  readonly sent: number;
  readonly arrived: number;
  /** Before the first of their flow that arrived: sent while it had no public address yet. */
  readonly early: number;
  /** Sent after it, and missing. */
  readonly missing: number;
  /** Arrived, though nobody sent such a packet, or not once more. */
  readonly changed: number;
  readonly outOfOrder: number;
}

/** What one sender sent to one receiver. */
interface Flow {
  sent: number;
  /** Numbers of those that arrived, in the order in which they did. */
  readonly arrived: number[];
}

interface Sent {
  readonly flow: Flow;
  readonly n: number;
}

export function compare(sent: readonly Datagram[], arrived: readonly Datagram[]): Comparison {
  const flows = new Map<string, Flow>();
  // Packets that are alike in every octet arrive in the order in which they were sent.
  const waiting = new Map<string, Sent[]>();
  for (const { from, to, payload } of sent) {
    const flow = flows.get(`${from} ${to}`) ?? { sent: 0, arrived: [] };
    flows.set(`${from} ${to}`, flow);
    waiting.set(payload, [...(waiting.get(payload) ?? []), { flow, n: flow.sent++ }]);
  }
  let changed = 0;
  for (const { payload } of arrived) {
    const known = waiting.get(payload)?.shift();
    if (known === undefined) changed += 1;
    else known.flow.arrived.push(known.n);
  }
  const results = [...flows.values()].map(resultOf);
  const sum = (of: keyof FlowResult) => results.reduce((n, result) => n + result[of], 0);
  return {
    sent: sent.length,
    arrived: arrived.length,
    early: sum('early'),
    missing: sum('missing'),
    changed,
    outOfOrder: sum('outOfOrder'),
  };
}

/** Why the comparison is none of a good call; undefined when it is. */
export function complaint(what: string, result: Comparison): string | undefined {
  const { arrived, missing, changed, outOfOrder } = result;
  const isGood = arrived > 0 && missing + changed + outOfOrder === 0;
  return isGood ? undefined : `${what}: ${JSON.stringify(result)}`;
}

interface FlowResult {
  readonly early: number;
  readonly missing: number;
  readonly outOfOrder: number;
}

/** A flow of which nothing arrived is missing as a whole. */
function resultOf({ sent, arrived }: Flow): FlowResult {
  if (arrived.length === 0) return { early: 0, missing: sent, outOfOrder: 0 };
  const early = Math.min(...arrived);
  return {
    early,
    missing: sent - early - arrived.length,
    outOfOrder: arrived.filter((n, i) => n < (arrived[i - 1] ?? 0)).length,
  };
}
