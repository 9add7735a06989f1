/** Waits until no tunnel is left, for a limited time. */
export class Drain {
  readonly #count: () => number;
  readonly #over: Promise<void>;
  #finish: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  isOn = false;

  constructor(count: () => number) {
    this.#count = count;
    this.#over = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Resolves when no tunnel is left or the time is over. Asked again: at once. */
  begin(limitMs: number): Promise<void> {
    if (this.isOn) this.end();
    this.isOn = true;
    this.#timer ??= setTimeout(() => this.#finish(), limitMs);
    this.look();
    return this.#over;
  }

  /** To be called when a tunnel has ended. */
  look(): void {
    if (this.isOn && this.#count() === 0) this.end();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#finish();
  }
}
