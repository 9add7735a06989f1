/**
 * How much later packets come than the fastest of them did: what a playout buffer has to wait for. The
 * clocks of sender and receiver drift apart, so the fastest is the one of the last one to two windows.
 */
const WINDOW_MS = 10_000;
const NONE = Number.POSITIVE_INFINITY;

export class PlayoutDelay {
  #leastMs = NONE;
  #leastBeforeMs = NONE;
  #untilMs = Number.NEGATIVE_INFINITY;

  /** Gives how late the packet is, ms; `mediaMs`: its time by the clock of its sender. */
  packet(mediaMs: number, arrivalMs: number): number {
    if (arrivalMs >= this.#untilMs) {
      this.#leastBeforeMs = this.#leastMs;
      this.#leastMs = NONE;
      this.#untilMs = arrivalMs + WINDOW_MS;
    }
    const transitMs = arrivalMs - mediaMs;
    if (transitMs < this.#leastMs) this.#leastMs = transitMs;
    return transitMs - Math.min(this.#leastMs, this.#leastBeforeMs);
  }

  /** Another clock follows. */
  restart(): void {
    this.#leastMs = NONE;
    this.#leastBeforeMs = NONE;
  }
}
