/** How long packets waited for a connection before they went into the tunnel, by flow and class. */
import type { BindingStatus } from '../../ops/status.ts';
import { AGE_BOUNDS_MS } from '../../session/media/lane.ts';
import type { LaneStatus } from '../../session/media/media-flow.ts';

export const WAITED_TITLES: readonly string[] = [
  ...['phone', 'class'],
  ...AGE_BOUNDS_MS.map((ms) => `below ${ms}`),
  ...['longer', 'dropped'],
];

/** Names, then counts of packets. */
export function waitedRows(bindings: readonly BindingStatus[]): (string | number)[][] {
  return bindings.flatMap(({ ue = '-', sending }) =>
    sending.map((lane) => [ue, lane.class, ...bucketsOf(lane), droppedOf(lane)]),
  );
}

/** What waited for a connection for too long, found no room, or had none to wait for. */
export function droppedOf(lane: LaneStatus): number {
  const { tooOld, tooFull, brokenFrame, tunnelEnded, noConnection } = lane;
  return tooOld + tooFull + brokenFrame + tunnelEnded + noConnection;
}

function bucketsOf({ waitedMs }: LaneStatus): number[] {
  return Array.from({ length: AGE_BOUNDS_MS.length + 1 }, (_, i) => waitedMs[i] ?? 0);
}
