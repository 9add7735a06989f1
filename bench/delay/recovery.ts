/** How long delay stays spoilt after a blackout. */
import type { Deliveries } from '../media/deliveries.ts';

export interface Blackout {
  /** Since the start of the run. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Delay is normal while not above the 99th percentile from before, and so much more. */
const TOLERANCE_MS = 5;
const STEP_MS = 10;
/** It must stay normal for so long, for nearly all packets: one that is late by itself is no blackout. */
const STAY_STEPS = 50;
const NORMAL_SHARE = 0.99;

/**
 * From the end of the blackout until packets, by their time of sending, have a normal delay and go on having
 * it: the worse of both directions. Infinite: not within the run.
 */
export function recoveryMs(
  runs: readonly Deliveries[],
  blackout: Blackout,
  leadInMs: number,
): number {
  return Math.max(...runs.map((run) => recoveryOf(run, blackout, leadInMs)));
}

function recoveryOf(run: Deliveries, blackout: Blackout, leadInMs: number): number {
  const limit = normalMs(run, leadInMs, blackout.fromMs) + TOLERANCE_MS;
  const bad: number[] = [];
  const all: number[] = [];
  for (let i = 0; i < run.length; i++) {
    const step = Math.floor(((run.sentMs[i] ?? 0) - blackout.toMs) / STEP_MS);
    if (step < 0) continue;
    all[step] = (all[step] ?? 0) + 1;
    if (!((run.delayMs[i] ?? Number.NaN) <= limit)) bad[step] = (bad[step] ?? 0) + 1;
  }
  for (let step = 0; step + STAY_STEPS <= all.length; step++) {
    const share = sumOf(bad, step) / sumOf(all, step);
    if ((bad[step] ?? 0) === 0 && share <= 1 - NORMAL_SHARE) return step * STEP_MS;
  }
  return Number.POSITIVE_INFINITY;
}

/** Those under way when it went dark are not among them. */
function normalMs(run: Deliveries, fromMs: number, toMs: number): number {
  const delays: number[] = [];
  for (let i = 0; i < run.length; i++) {
    const at = run.sentMs[i] ?? 0;
    const delay = run.delayMs[i] ?? Number.NaN;
    if (at >= fromMs && at + delay < toMs) delays.push(delay);
  }
  delays.sort((a, b) => a - b);
  return delays[Math.floor(delays.length * 0.99)] ?? Number.NaN;
}

function sumOf(counts: readonly number[], from: number): number {
  let sum = 0;
  for (let i = from; i < from + STAY_STEPS; i++) sum += counts[i] ?? 0;
  return sum;
}
