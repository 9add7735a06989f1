/**
 * Measures small operations: processor time as the median of seven runs, memory as what the heap
 * grew by while no collection took place. One JSON line per case on stdout. README.md says why so.
 */
import { execFileSync } from 'node:child_process';
import { GCProfiler } from 'node:v8';

export interface Case {
  readonly name: string;
  /** Octets that one operation handles; without them there is no MB/s. */
  readonly octets?: number;
  readonly aim?: Aim;
  /** Does the operation `times` times. What it needs has been made before. */
  run(times: number): void;
}

export interface Aim {
  readonly maxNsPerOp?: number;
  readonly minMbPerSecond?: number;
  readonly maxBytesPerOp?: number;
  readonly minPacketsPerSecond?: number;
  readonly maxPeakMb?: number;
  readonly maxP50Ms?: number;
  readonly maxIdlePercent?: number;
}

export interface Figures {
  readonly nsPerOp?: number;
  readonly mbPerSecond?: number;
  readonly bytesPerOp?: number;
  readonly packetsPerSecond?: number;
  readonly peakMb?: number;
  /** Delay. */
  readonly p50Ms?: number;
  /** Of one core, with nothing to do. */
  readonly idlePercent?: number;
}

/** Below this nothing is allocated per operation: no object is smaller than 16 bytes. */
export const NO_OBJECT_BYTES = 0.5;

export const QUICK = process.argv.includes('--quick');

const COMMIT = git('describe', '--always', '--dirty', '--abbrev=8');
const RUNS = 7;
const RUN_MS = QUICK ? 10 : 150;
/** Not less for a quick run: half-compiled code costs ten times as much. */
const WARM_UP_MS = 400;
const ALLOCATION_OPS = 1_000_000;

const ALLOCATION_MS = QUICK ? 200 : 2000;
const ROUGH_OPS = 2000;
const ATTEMPTS = 3;

/** What scripts/run-benches.js sets. */
const NEW_SPACE_BYTES = 64 << 20;

/** Growth of a whole run below this is that of the measuring itself. */
const NOISE_BYTES = 200_000;
/** But not so much per operation: then the run was short. */
const LEAST_BYTES = 2;

export function bench(one: Case): void {
  const times = timesFor(one, WARM_UP_MS);
  const runs = Array.from({ length: RUNS }, () => nsOf(one, times) / times);
  const nsPerOp = median(runs);
  report(one.name, one.aim, {
    nsPerOp: round(nsPerOp),
    ...(one.octets === undefined ? {} : { mbPerSecond: round((one.octets * 1000) / nsPerOp) }),
    bytesPerOp: bytesPerOp(one, nsPerOp),
  });
}

/** Prints a case, whoever measured it. */
export function report(name: string, aim: Aim | undefined, figures: Figures): void {
  const met = aim === undefined ? {} : { aim, met: meets(figures, aim) };
  const line = { name, ...figures, ...met, node: process.version, commit: COMMIT };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Seeded randomness (mulberry32): the same packets in every run. */
export function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let v = Math.imul(state ^ (state >>> 15), 1 | state);
    v = (v + Math.imul(v ^ (v >>> 7), 61 | v)) ^ v;
    return ((v ^ (v >>> 14)) >>> 0) % limit;
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function meets(figures: Figures, aim: Aim): boolean {
  const most = (figure = Number.POSITIVE_INFINITY, limit = figure) => figure <= limit;
  const least = (figure = 0, limit = figure) => figure >= limit;
  return (
    most(figures.nsPerOp, aim.maxNsPerOp) &&
    most(figures.bytesPerOp, aim.maxBytesPerOp) &&
    most(figures.peakMb, aim.maxPeakMb) &&
    most(figures.p50Ms, aim.maxP50Ms) &&
    most(figures.idlePercent, aim.maxIdlePercent) &&
    least(figures.mbPerSecond, aim.minMbPerSecond) &&
    least(figures.packetsPerSecond, aim.minPacketsPerSecond)
  );
}

/** Warms up, and finds how many operations fill one run. */
function timesFor(one: Case, warmUpMs: number): number {
  let times = 1;
  let ns = 0;
  for (let spent = 0; spent < warmUpMs * 1e6; spent += ns) {
    ns = nsOf(one, times);
    if (ns < RUN_MS * 1e6) times = Math.ceil(times * Math.min(8, (RUN_MS * 1.1e6) / (ns + 1)));
  }
  return times;
}

/** Processor time, that of collector and compiler threads included: waiting for a core is no cost. */
function nsOf(one: Case, times: number): number {
  const start = process.cpuUsage();
  one.run(times);
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}

/** The least of some attempts: what an operation allocates is there every time, other growth is not. */
function bytesPerOp(one: Case, nsPerOp: number): number {
  const roughly = Math.max(1, growthPerOp(one, ROUGH_OPS));
  const fitting = Math.min((ALLOCATION_MS * 1e6) / nsPerOp, NEW_SPACE_BYTES / 2 / roughly);
  const times = Math.ceil(Math.min(ALLOCATION_OPS, fitting));
  const attempts = Array.from({ length: ATTEMPTS }, () => growthPerOp(one, times));
  const least = Math.min(...attempts);
  return least < LEAST_BYTES && least * times < NOISE_BYTES ? 0 : round(least);
}

/**
 * Growth of the heap and of the array buffers outside it over a run in which nothing was collected:
 * what was collected would not be seen. A run with a collection is repeated at half the length.
 */
function growthPerOp(one: Case, most: number): number {
  for (let times = most; times >= 1; times = Math.floor(times / 2)) {
    collect();
    const profiler = new GCProfiler();
    profiler.start();
    const before = ownedBytes();
    one.run(times);
    const grown = ownedBytes() - before;
    const collections = profiler.stop()?.statistics.length ?? 0;
    if (collections === 0) return grown / times;
  }
  throw new Error(`${one.name}: no run without a collection`);
}

/**
 * Twice: octets outside the heap that the first finds dead are given back by a thread beside it, at any
 * time until the second, which waits for it. In the middle of a run they would hide what it allocates.
 */
function collect(): void {
  globalThis.gc?.();
  globalThis.gc?.();
}

function ownedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

function git(...words: readonly string[]): string {
  try {
    return execFileSync('git', words, { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return 'unknown';
  }
}
