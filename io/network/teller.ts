/** Tells how the network differs from what was told last, when it has come to rest for a moment. */
import type { NetworkChange, NetworkState } from './network-state.ts';

/** How long after the first message a change is told. */
const GATHER_MS = 200;

export class Teller {
  readonly #onChange: (change: NetworkChange) => void;
  readonly #ignored: ReadonlySet<string>;
  #told: NetworkState | undefined;
  #latest: NetworkState | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(onChange: (change: NetworkChange) => void, ignored: ReadonlySet<string>) {
    this.#onChange = onChange;
    this.#ignored = ignored;
  }

  /** The first state is no change; `state` may go on changing, or be followed by another one. */
  became(state: NetworkState): void {
    this.#latest = state;
    if (this.#told === undefined) this.#told = state.copy();
    else this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #tell(): void {
    this.#timer = undefined;
    const change = this.#told && this.#latest?.since(this.#told, this.#ignored);
    this.#told = this.#latest?.copy();
    if (change !== undefined) this.#onChange(change);
  }
}
