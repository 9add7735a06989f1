/**
 * A map whose oldest entry can be taken out. From one to the next it is kept where to go on: in a map, what was
 * taken out stays in the way of whoever begins at the front, up to half of its room. Not for longer: behind an
 * iterator that rests, V8 keeps every table that the map has outgrown.
 */
export class AgingMap<T> {
  readonly #entries = new Map<string, T>();
  #order: MapIterator<[string, T]> | undefined;

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  /** One that is there keeps its age. */
  set(key: string, value: T): void {
    this.#entries.set(key, value);
  }

  delete(key: string): void {
    this.#order = undefined;
    this.#entries.delete(key);
  }

  takeOldest(): T | undefined {
    this.#order ??= this.#entries.entries();
    let next = this.#order.next();
    if (next.done === true) {
      // It had come to the end once, and an iterator does not begin again.
      this.#order = this.#entries.entries();
      next = this.#order.next();
    }
    if (next.done === true) return undefined;
    const [key, value] = next.value;
    this.#entries.delete(key);
    return value;
  }
}
