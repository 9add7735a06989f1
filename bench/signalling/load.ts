/**
 * Calls that begin at fixed times, whatever became of those before: a slow answer delays no other call, so
 * that it cannot hide. Two ways are loaded in turns, window by window, so that what else the machine does
 * meets both.
 */
import { setTimeout } from 'node:timers/promises';
import type { Plan } from './rows.ts';

/** Does one call; gives how long each answer took, in milliseconds. */
export type CallOnce = () => Promise<readonly number[]>;

export interface Compared {
  readonly without: Percentiles;
  readonly with: Percentiles;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/**
 * V8 compiles code for speed only after it has run some thousand times; an answer takes twice as long before. An
 * agent runs for days.
 */
const WARM_UP_MS = 15_000;

/** Medians over the windows of each way. */
export async function compare(plan: Plan, without: CallOnce, through: CallOnce): Promise<Compared> {
  const windows: Record<'without' | 'with', Percentiles[]> = { without: [], with: [] };
  const warmUp = { ...plan, windowMs: WARM_UP_MS };
  await load(warmUp, without);
  await load(warmUp, through);
  for (let i = 0; i < plan.windows; i++) {
    windows.without.push(percentilesOf(await load(plan, without)));
    windows.with.push(percentilesOf(await load(plan, through)));
  }
  return { without: medians(windows.without), with: medians(windows.with) };
}

async function load({ callsPerSecond, windowMs }: Plan, call: CallOnce): Promise<number[]> {
  const count = Math.round((callsPerSecond * windowMs) / 1_000);
  const begin = performance.now();
  const calls: Promise<readonly number[]>[] = [];
  while (calls.length < count) {
    const due = begin + (calls.length * 1_000) / callsPerSecond;
    if (due > performance.now()) await setTimeout(1);
    else calls.push(call());
  }
  return (await Promise.all(calls)).flat();
}

function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

function medians(windows: readonly Percentiles[]): Percentiles {
  const median = (of: (one: Percentiles) => number) => {
    const sorted = windows.map(of).toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? Number.NaN;
  };
  return { p50: median(({ p50 }) => p50), p99: median(({ p99 }) => p99) };
}
