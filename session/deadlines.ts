/**
 * Which of many things is due next: a binary heap of items that know their own place in it. An item
 * whose real deadline has moved later (traffic came) keeps its early one here and is looked at once
 * too often; so the data path never touches the heap.
 */
export interface Timed {
  /** When this item wants to be looked at; Infinity while it is not in a heap. */
  dueMs: number;
  /** Its place in the heap; owned by `Deadlines`. -1 while it is in none. */
  heapAt: number;
}

export class Deadlines<Item extends Timed> {
  readonly #heap: Item[] = [];

  /** Infinity when empty. */
  next(): number {
    return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes out one item that is due; undefined when none is. */
  due(now: number): Item | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > now) return undefined;
    this.remove(first);
    return first;
  }

  set(item: Item, dueMs: number): void {
    if (item.heapAt < 0) {
      item.heapAt = this.#heap.length;
      this.#heap.push(item);
    }
    item.dueMs = dueMs;
    this.#settle(item);
  }

  /** Makes it due at `dueMs` unless it is already due earlier. */
  setNoLater(item: Item, dueMs: number): void {
    if (item.heapAt < 0 || dueMs < item.dueMs) this.set(item, dueMs);
  }

  remove(item: Item): void {
    const at = item.heapAt;
    if (at < 0) return;
    item.heapAt = -1;
    item.dueMs = Number.POSITIVE_INFINITY;
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    this.#place(last, at);
    this.#settle(last);
  }

  #settle(item: Item): void {
    this.#rise(item);
    this.#sink(item);
  }

  #rise(item: Item): void {
    while (item.heapAt > 0) {
      const at = item.heapAt;
      const parent = this.#heap[(at - 1) >> 1];
      if (parent === undefined || parent.dueMs <= item.dueMs) return;
      this.#place(parent, at);
      this.#place(item, (at - 1) >> 1);
    }
  }

  #sink(item: Item): void {
    for (;;) {
      const at = item.heapAt;
      const child = this.#earlierChild(at);
      if (child === undefined || child.dueMs >= item.dueMs) return;
      const childAt = child.heapAt;
      this.#place(child, at);
      this.#place(item, childAt);
    }
  }

  #earlierChild(at: number): Item | undefined {
    const left = this.#heap[2 * at + 1];
    const right = this.#heap[2 * at + 2];
    if (left === undefined || right === undefined) return left;
    return right.dueMs < left.dueMs ? right : left;
  }

  #place(item: Item, at: number): void {
    this.#heap[at] = item;
    item.heapAt = at;
  }
}
