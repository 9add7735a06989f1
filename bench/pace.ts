/**
 * Packets at an even pace: how many are due. What a process that was not let run would have sent is left
 * out: a flood afterwards is no even pace.
 */
const MAX_LATE_MS = 10;

export class Pace {
  #perSecond = 0;
  #startMs = 0;
  #given = 0;

  start(perSecond: number, nowMs: number): void {
    this.#perSecond = perSecond;
    this.#startMs = nowMs;
    this.#given = 0;
  }

  /** To be sent now: they are not due again. */
  take(nowMs: number): number {
    const until = Math.floor(((nowMs - this.#startMs) * this.#perSecond) / 1_000);
    const late = Math.ceil((this.#perSecond * MAX_LATE_MS) / 1_000);
    const due = until - Math.max(this.#given, until - late);
    this.#given = until;
    return Math.max(0, due);
  }
}
