/**
 * The bindings that the configuration asks for: they are there as long as a tunnel can be had, and
 * are asked for again, at growing intervals, when they were refused.
 */
import type { StaticBinding } from '../config/address-kinds.ts';
import { systemRandom } from '../io/random.ts';
import { type Backoff, backoffMs } from '../session/backoff.ts';
import { type Endpoint, formatEndpoint } from '../wire/address.ts';
import { u8 } from '../wire/bytes.ts';
import type { ClientAgent } from './agent.ts';
import type { ClientEvent } from './options.ts';

const RETRY: Backoff = { firstMs: 2_000, mostMs: 60_000 };

interface Entry {
  readonly binding: StaticBinding;
  refusals: number;
  timer: NodeJS.Timeout | undefined;
}

export class StaticBinds {
  readonly #agent: Pick<ClientAgent, 'bind' | 'release'>;
  readonly #entries = new Map<string, Entry>();

  constructor(agent: Pick<ClientAgent, 'bind' | 'release'>) {
    this.#agent = agent;
  }

  /** These from now on: others are given back. Those that were refused are asked for again. */
  set(bindings: readonly StaticBinding[]): void {
    const wanted = new Map(bindings.map((binding) => [wholeKey(binding), binding]));
    for (const [key, entry] of this.#entries) {
      if (wanted.has(wholeKey(entry.binding))) continue;
      this.#entries.delete(key);
      clearTimeout(entry.timer);
      this.#agent.release(entry.binding.ue, entry.binding.protocol);
    }
    for (const binding of wanted.values()) {
      const key = keyOf(binding.ue, binding.protocol);
      const entry = this.#entries.get(key) ?? { binding, refusals: 0, timer: undefined };
      if (this.#entries.has(key) && entry.refusals === 0) continue;
      this.#entries.set(key, entry);
      clearTimeout(entry.timer);
      this.#bind(entry);
    }
  }

  observe(event: ClientEvent): void {
    if (event.type !== 'bound' && event.type !== 'bind-failed') return;
    const entry = this.#entries.get(keyOf(event.ue, event.protocol));
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    if (event.type === 'bound') entry.refusals = 0;
    else this.#later(entry);
  }

  close(): void {
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
    this.#entries.clear();
  }

  #bind({ binding }: Entry): void {
    const { ue, protocol, pair } = binding;
    // The answer comes as an event, as it does again after each loss.
    void this.#agent.bind(ue, { protocol, pair, port: ue.port });
  }

  #later(entry: Entry): void {
    const waitMs = backoffMs(entry.refusals, u8(systemRandom(1), 0), RETRY);
    entry.refusals += 1;
    entry.timer = setTimeout(() => this.#bind(entry), waitMs);
  }
}

function keyOf(ue: Endpoint, protocol: number): string {
  return `${protocol} ${formatEndpoint(ue)}`;
}

function wholeKey({ ue, protocol, pair }: StaticBinding): string {
  return `${keyOf(ue, protocol)} ${pair}`;
}
