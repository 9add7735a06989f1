/**
 * A clock that jumps to the next thing that is due, so that hours of a call take milliseconds. What is
 * due at the same time happens in the order in which it was asked for.
 */

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** Some day in 2026, so that code that mixes up zero and "never" shows. */
const START_MS = 1_780_000_000_000;

export class FakeClock {
  now = START_MS;
  /** Binary heap, earliest first. */
  readonly #heap: Due[] = [];
  #asked = 0;

  at(atMs: number, action: () => void): void {
    const due = { atMs: Math.max(atMs, this.now), order: this.#asked++, action };
    let i = this.#heap.push(due) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || !before(due, above)) break;
      this.#heap[i] = above;
      i = parent;
    }
    this.#heap[i] = due;
  }

  after(delayMs: number, action: () => void): void {
    this.at(this.now + delayMs, action);
  }

  /** Everything that is due up to then; afterwards it is then. */
  runUntil(atMs: number): void {
    while ((this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs) this.#runNext();
    this.now = Math.max(this.now, atMs);
  }

  runFor(ms: number): void {
    this.runUntil(this.now + ms);
  }

  /** Until the condition holds; false when it did not within `limitMs`. */
  runUntilTrue(condition: () => boolean, limitMs: number): boolean {
    const limit = this.now + limitMs;
    while (!condition()) {
      if ((this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY) > limit) {
        this.now = limit;
        return false;
      }
      this.#runNext();
    }
    return true;
  }

  #runNext(): void {
    const next = this.#heap[0];
    const last = this.#heap.pop();
    if (next === undefined || last === undefined) return;
    if (this.#heap.length > 0) this.#sink(last);
    this.now = next.atMs;
    next.action();
  }

  /** Puts `due` at the top and lets it down to its place. */
  #sink(due: Due): void {
    let i = 0;
    for (;;) {
      const left = this.#heap[2 * i + 1];
      const right = this.#heap[2 * i + 2];
      if (left === undefined) break;
      const useRight = right !== undefined && before(right, left);
      const earlier = useRight ? right : left;
      if (!before(earlier, due)) break;
      this.#heap[i] = earlier;
      i = 2 * i + (useRight ? 2 : 1);
    }
    this.#heap[i] = due;
  }
}

function before(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
