/** Tells how the network differs from what was told last, when it has come to rest for a moment. */
import type { NetworkChange, NetworkState } from './network-state.ts';

/** How long after the first message a change is told. */
const GATHER_MS = 200;

export class Teller {
  readonly #onChange: (change: NetworkChange) => void;
  readonly #ignored: ReadonlySet<string>;
  #told: NetworkState | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(onChange: (change: NetworkChange) => void, ignored: ReadonlySet<string>) {
    this.#onChange = onChange;
    this.#ignored = ignored;
  }

  /** The first state is no change; `state` may go on changing. */
  became(state: NetworkState): void {
    if (this.#told === undefined) this.#told = state.copy();
    else this.#timer ??= setTimeout(() => this.#tell(state), GATHER_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #tell(state: NetworkState): void {
    this.#timer = undefined;
    const change = this.#told && state.since(this.#told, this.#ignored);
    this.#told = state.copy();
    if (change !== undefined) this.#onChange(change);
  }
}
