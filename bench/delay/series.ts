/** Delay over time around the moment at which the link went dark, for plots. */
import type { Deliveries } from '../media/deliveries.ts';
import type { PeerName } from '../peers/peer.ts';
import type { Measured } from './measure.ts';

export interface Series {
  readonly peer: PeerName;
  readonly scenario: string;
  readonly darkMs: number;
  /** Time of sending since it went dark, and delay; null: never arrived. */
  readonly points: readonly (readonly [sentMs: number, delayMs: number | null])[];
}

const BEFORE_MS = 200;
const AFTER_MS = 1_000;
/** About as many points as a plot can show. */
const MAX_POINTS = 600;

/** Of the way up; nothing where the link never went dark. */
export function seriesOf({ result, runs, blackout }: Measured): Series[] {
  const [up] = runs;
  if (blackout === undefined || up === undefined) return [];
  const { fromMs, toMs } = blackout;
  const points = pointsOf(up, fromMs, -BEFORE_MS, toMs - fromMs + AFTER_MS);
  const { peer, scenario } = result;
  return [{ peer, scenario, darkMs: toMs - fromMs, points }];
}

function pointsOf(run: Deliveries, zeroMs: number, fromMs: number, toMs: number) {
  const points: [number, number | null][] = [];
  for (let i = 0; i < run.length; i++) {
    const at = (run.sentMs[i] ?? 0) - zeroMs;
    if (at < fromMs || at >= toMs) continue;
    const delay = run.delayMs[i] ?? Number.NaN;
    points.push([round(at), Number.isNaN(delay) ? null : round(delay)]);
  }
  const step = Math.max(1, Math.ceil(points.length / MAX_POINTS));
  return points.filter((_, i) => i % step === 0);
}

function round(ms: number): number {
  return Number(ms.toFixed(1));
}
