/** The least of what was seen in the last one to two windows of time: what was true once is not for ever. */
const NONE = Number.POSITIVE_INFINITY;

export class RecentLeast {
  readonly #windowMs: number;
  #least = NONE;
  #before = NONE;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Infinity: nothing was seen. */
  get value(): number {
    return Math.min(this.#least, this.#before);
  }

  see(value: number, now: number): void {
    if (now >= this.#untilMs) {
      this.#before = now < this.#untilMs + this.#windowMs ? this.#least : NONE;
      this.#least = NONE;
      this.#untilMs = now + this.#windowMs;
    }
    if (value < this.#least) this.#least = value;
  }
}
