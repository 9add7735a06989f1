/** Figures of a run, for people: delay one way, loss, and what a listener would say. */
import { G711, mos } from '../../ops/mos.ts';
import type { Deliveries } from './deliveries.ts';

/** A packet later than this is of no use to a conversation (ITU-T G.114). */
const LATE_MS = 150;

export interface Summary {
  readonly packets: number;
  /** Of packets that arrived, up to `max`. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly lostPercent: number;
  /** Arrived, but later than LATE_MS. */
  readonly latePercent: number;
  readonly mos: number;
  /** Of all packets, those that never arrived being later than any: whoever drops what is late gains nothing here. */
  readonly ofSent: { readonly p50: number; readonly p99: number; readonly p999: number };
}

/** Which packets count. */
export interface Selection {
  readonly flow: (flow: number) => boolean;
  /** When they were sent, since the start of the run. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Of a frame of 20 ms, before it can be sent. */
const PACKETISATION_MS = 20;
const MAX_PLAY_OUT_MS = 400;
const PLAY_OUT_STEP_MS = 5;

export function summarise(runs: readonly Deliveries[], selection: Selection): Summary {
  const delays = sortedDelays(runs, selection);
  const packets = delays.length;
  const lost = packets - firstAbove(delays, Number.MAX_VALUE);
  const late = packets - firstAbove(delays, LATE_MS) - lost;
  const arrived = delays.subarray(0, packets - lost);
  return {
    packets,
    p50: quantile(arrived, 0.5),
    p95: quantile(arrived, 0.95),
    p99: quantile(arrived, 0.99),
    p999: quantile(arrived, 0.999),
    max: round(arrived.at(-1) ?? Number.NaN),
    lostPercent: round((100 * lost) / packets),
    latePercent: round((100 * late) / packets),
    mos: bestMos(delays),
    ofSent: {
      p50: quantile(delays, 0.5),
      p99: quantile(delays, 0.99),
      p999: quantile(delays, 0.999),
    },
  };
}

/** Of packets that never arrived: infinite. */
function sortedDelays(runs: readonly Deliveries[], selection: Selection): Float64Array {
  const { flow, fromMs, toMs } = selection;
  const delays: number[] = [];
  for (const run of runs) {
    for (let i = 0; i < run.length; i++) {
      const at = run.sentMs[i] ?? 0;
      if (at < fromMs || at >= toMs || !flow(run.flows[i] ?? 0)) continue;
      const delay = run.delayMs[i] ?? Number.NaN;
      delays.push(Number.isNaN(delay) ? Number.POSITIVE_INFINITY : delay);
    }
  }
  return Float64Array.from(delays).sort();
}

/** Video frames, by how many of their packets arrived. */
export interface Frames {
  readonly whole: number;
  readonly none: number;
  /** Some, but not all: of no use to a decoder, and sent in vain. */
  readonly part: number;
}

export function framesOf(runs: readonly Deliveries[], selection: Selection): Frames {
  const count = { whole: 0, none: 0, part: 0 };
  for (const run of runs) {
    for (const { packets, arrived } of frames(run, selection).values()) {
      count[arrived === packets ? 'whole' : arrived === 0 ? 'none' : 'part']++;
    }
  }
  return count;
}

function frames(run: Deliveries, { flow, fromMs, toMs }: Selection) {
  const found = new Map<string, { packets: number; arrived: number }>();
  for (let i = 0; i < run.length; i++) {
    const at = run.sentMs[i] ?? 0;
    if (at < fromMs || at >= toMs || !flow(run.flows[i] ?? 0)) continue;
    const name = `${run.flows[i]} ${run.timestamps[i]}`;
    const frame = found.get(name) ?? { packets: 0, arrived: 0 };
    frame.packets++;
    if (!Number.isNaN(run.delayMs[i])) frame.arrived++;
    found.set(name, frame);
  }
  return found;
}

/**
 * With the play-out delay that is best for what came: what is later is as good as lost (E-model, G.711). Every
 * peer is given that same good receiver.
 */
function bestMos(delays: Float64Array): number {
  if (delays.length === 0) return Number.NaN;
  let best = 1;
  for (let ms = PLAY_OUT_STEP_MS; ms <= MAX_PLAY_OUT_MS; ms += PLAY_OUT_STEP_MS) {
    const missing = 1 - firstAbove(delays, ms) / delays.length;
    best = Math.max(best, mos(G711, PACKETISATION_MS + ms, missing));
  }
  return round(best);
}

/** How many of the sorted values are not above the limit. */
function firstAbove(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function quantile(sorted: Float64Array, share: number): number {
  return round(
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN,
  );
}

function round(value: number): number {
  return Number(value.toFixed(value < 10 ? 3 : 1));
}
