/** The only clocks and the only timer of the agents; the machines get times as numbers. */

/**
 * Milliseconds since 1970 with a fraction. Never goes back: set by the system's clock once, at the
 * start of the process, and by its monotonic clock from then on.
 */
export function now(): number {
  isTurnRead = false;
  lastMs = ORIGIN_MS + performance.now();
  return lastMs;
}

/** A getter that looks the value up each time. */
const ORIGIN_MS = performance.timeOrigin;
let lastMs = 0;
let isTurnRead = false;

/**
 * `now`, read once for packets that come one after the other: hundreds do in one turn of the event loop. To read it for
 * each costs as much as looking up a binding, and a new number that has to be kept wherever it is noted. It holds
 * until somebody calls `now`, as a pump does at the end of each turn that brought something.
 */
export function turnMs(): number {
  if (isTurnRead) return lastMs;
  const at = now();
  isTurnRead = true;
  return at;
}

/**
 * Milliseconds since 1970 by the system's clock as it is set now, forth or back: only for times that somebody
 * else wrote down, as in the name of a time-limited user.
 */
export function wallClock(): number {
  return Date.now();
}

/** The longest delay that `setTimeout` takes. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Rings at or after a time. Setting it later than it already is costs nothing: it then rings too
 * early once, and whoever owns it looks what is due and sets it again.
 */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  set(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.clear();
    this.#atMs = atMs;
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(1, Math.ceil(atMs - now())));
    this.#timer = setTimeout(() => {
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#ring();
    }, delayMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#atMs = Number.POSITIVE_INFINITY;
  }
}

/** For those who wait long enough that a test must not wait with them. */
export interface Clock {
  now(): number;
  alarm(ring: () => void): Pick<Alarm, 'set' | 'clear'>;
}

export const CLOCK: Clock = { now, alarm: (ring) => new Alarm(ring) };
