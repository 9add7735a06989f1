/** Events as they come, and a way to wait for one that may have come already. */

type Typed = { readonly type: string };

export class Diary<Event extends Typed> {
  readonly events: Event[] = [];
  #waiters: Array<() => void> = [];

  readonly add = (event: Event): void => {
    this.events.push(event);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  };

  /** The first event of this type from number `from` on that passes. AVA's time limit applies. */
  async first<T extends Event['type']>(
    type: T,
    passes: (event: Extract<Event, { type: T }>) => boolean = () => true,
    from = 0,
  ): Promise<Extract<Event, { type: T }>> {
    const isIt = (event: Event): event is Extract<Event, { type: T }> =>
      event.type === type && passes(event as Extract<Event, { type: T }>);
    for (;;) {
      const found = this.events.slice(from).find(isIt);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
}
