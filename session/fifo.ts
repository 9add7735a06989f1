/**
 * First in, first out, at the same cost however many wait: `shift` moves all others of a long array, which
 * makes seconds of thousands of tunnels that end together.
 *
 * Memory: what was put in since it was last empty.
 */
export class Fifo<T> {
  readonly #waiting: T[] = [];
  #next = 0;

  push(value: T): void {
    this.#waiting.push(value);
  }

  shift(): T | undefined {
    const value = this.#waiting[this.#next];
    this.#next += 1;
    if (this.#next < this.#waiting.length) return value;
    this.#waiting.length = 0;
    this.#next = 0;
    return value;
  }
}
