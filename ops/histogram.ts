/**
 * Histogram of positive times in fixed buckets: each power of two of microseconds is cut into 16, so
 * a quantile is at most 1/16 above the truth, memory never grows and recording allocates nothing.
 */

/** 2^26 µs, 67 s: what is longer is counted in the last bucket. */
const MAX_OCTAVE = 26;
const STEP_BITS = 4;
const STEPS = 1 << STEP_BITS;
const BUCKETS = (MAX_OCTAVE - STEP_BITS + 1) * STEPS;

export class Histogram {
  count = 0;
  /** Exact, unlike quantiles. */
  maxMs = 0;
  readonly #buckets = new Float64Array(BUCKETS);

  record(ms: number): void {
    const bucket = bucketOf(Math.max(0, Math.round(ms * 1_000)));
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.count += 1;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** The time that `q` (0 to 1) of all records do not exceed, ms; 0 when there are none. */
  quantileMs(q: number): number {
    const wanted = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#buckets[bucket] ?? 0;
      if (seen >= wanted) return Math.min(upperUs(bucket) / 1_000, this.maxMs);
    }
    return this.maxMs;
  }

  /** By rising times: each that occurs, as `quantileMs` gives it, with the share of records that do not exceed it. */
  eachTime(visit: (ms: number, share: number) => void): void {
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const here = this.#buckets[bucket] ?? 0;
      seen += here;
      if (here > 0) visit(Math.min(upperUs(bucket) / 1_000, this.maxMs), seen / this.count);
    }
  }

  /** Adds all records of another histogram. */
  add(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + (other.#buckets[bucket] ?? 0);
    }
    this.count += other.count;
    this.maxMs = Math.max(this.maxMs, other.maxMs);
  }
}

/** Times below 16 µs have buckets of their own; above, the top five bits choose. */
function bucketOf(us: number): number {
  if (us < STEPS) return us;
  if (us >= 2 ** MAX_OCTAVE) return BUCKETS - 1;
  const shift = 31 - Math.clz32(us) - STEP_BITS;
  return shift * STEPS + (us >>> shift);
}

/** The longest time that falls into a bucket. */
function upperUs(bucket: number): number {
  if (bucket < STEPS) return bucket;
  const shift = Math.floor(bucket / STEPS) - 1;
  return (((bucket % STEPS) + STEPS + 1) << shift) - 1;
}
