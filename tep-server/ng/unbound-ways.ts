/**
 * Ways of a call to public addresses that no tunnel has. A phone gets its address before it tells it to anybody; when
 * it crashed, the address is given back sooner or later, but its call lasts as long as the other end talks to nobody.
 * And a gateway that deletes a call late (delete-delay of rtpengine) tells meanwhile that it has it, by no sign different
 * from others. Then the way would wait for whoever gets the address next.
 *
 * One look in vain closes nothing: a tunnel that was lost may come back and get the same addresses (tep-wire 5).
 *
 * Memory: the names of a call's own addresses.
 */
import type { Pinhole } from '../../session/pinholes.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import type { Description } from './description.ts';

/** Whether a tunnel has this public address. */
export type IsBound = (address: Endpoint, protocol: number) => boolean;

export class UnboundWays {
  /** That nobody had when they were looked for last. */
  #missed: ReadonlySet<string> = new Set();
  /** That nobody had twice: closed until their phone names them again. */
  #closed: ReadonlySet<string> = new Set();

  /** `ways` are all that the call names, open or not. */
  look(ways: readonly Pinhole[], isBound: IsBound): void {
    const named = new Map(ways.map((way) => [keyOf(way.local, way.protocol), way] as const));
    const missing = [...named].filter(([, way]) => !isBound(way.local, way.protocol));
    const twice = missing.map(([key]) => key).filter((key) => this.#missed.has(key));
    const before = [...this.#closed].filter((key) => named.has(key));
    this.#missed = new Set(missing.map(([key]) => key));
    this.#closed = new Set([...before, ...twice]);
  }

  /** Somebody says that it is there. */
  named(said: Description): void {
    if (this.#missed.size === 0 && this.#closed.size === 0) return;
    const keys = new Set(
      said.flatMap(({ ends }) => ends.map(({ at, protocol }) => keyOf(at, protocol))),
    );
    this.#missed = without(this.#missed, keys);
    this.#closed = without(this.#closed, keys);
  }

  /** Those of `ways` that are open. */
  open(ways: readonly Pinhole[]): readonly Pinhole[] {
    if (this.#closed.size === 0) return ways;
    return ways.filter(({ local, protocol }) => !this.#closed.has(keyOf(local, protocol)));
  }
}

function keyOf(address: Endpoint, protocol: number): string {
  return `${protocol} ${formatEndpoint(address)}`;
}

function without(all: ReadonlySet<string>, some: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...all].filter((key) => !some.has(key)));
}
