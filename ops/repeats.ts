/**
 * Which lines of a log come too fast: of each text so many in a window, the rest is counted.
 *
 * Memory: an entry for each text of this window, at most MAX_TEXTS; beyond that texts share one.
 */

/** Enough for what a person reads, and 10 lines a second at most on average. */
const MAX_LINES = 100;
const MAX_TEXTS = 256;
const OTHERS = 'others';

interface Window {
  untilMs: number;
  lines: number;
  missed: number;
}

export class Repeats {
  static readonly WINDOW_MS = 10_000;
  readonly #windows = new Map<string, Window>();

  allow(text: string, nowMs: number): boolean {
    const known = this.#windows.has(text) || this.#windows.size < MAX_TEXTS;
    const window = this.#windowOf(known ? text : OTHERS, nowMs);
    if (nowMs >= window.untilMs && window.missed === 0) {
      window.untilMs = nowMs + Repeats.WINDOW_MS;
      window.lines = 0;
    }
    const isAllowed = window.lines < MAX_LINES;
    if (isAllowed) window.lines += 1;
    else window.missed += 1;
    return isAllowed;
  }

  /** What was not allowed since the last call; everything may be said again. */
  end(): Array<{ readonly text: string; readonly missed: number }> {
    const ended = [...this.#windows].map(([text, { missed }]) => ({ text, missed }));
    this.#windows.clear();
    return ended.filter(({ missed }) => missed > 0);
  }

  #windowOf(text: string, nowMs: number): Window {
    let window = this.#windows.get(text);
    if (window === undefined) {
      window = { untilMs: nowMs + Repeats.WINDOW_MS, lines: 0, missed: 0 };
      this.#windows.set(text, window);
    }
    return window;
  }
}
