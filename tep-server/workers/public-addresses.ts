/**
 * Public addresses that workers have given to calls: which ways of calls have a tunnel at their end (ng/unbound-ways.ts).
 * Where only the worker knows what is public (mode reflexive) the others are told, so that no packet of a tunnel comes
 * back to TEP-S as one for another tunnel. Between the grant and the word of it lies a moment of two messages.
 *
 * Memory: about 200 octets each; no worker has more than its part of the public ports.
 */
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import type { PublicAddress } from './messages.ts';

export class PublicAddresses {
  readonly #tell: (message: PublicAddress, from: number) => void;
  /** By worker, each by its text. */
  readonly #known = new Map<number, Map<string, PublicAddress>>();

  /** `tell` is to tell all workers but the one with the number `from`. */
  constructor(tell: (message: PublicAddress, from: number) => void) {
    this.#tell = tell;
  }

  take(from: number, message: PublicAddress): void {
    const own = this.#known.get(from) ?? new Map<string, PublicAddress>();
    this.#known.set(from, own);
    const key = keyOf(message.address, message.protocol);
    if (message.isBound) own.set(key, message);
    else own.delete(key);
    this.#tell(message, from);
  }

  /** Whether a call has it. */
  has(address: Endpoint, protocol: number): boolean {
    const key = keyOf(address, protocol);
    return [...this.#known.values()].some((own) => own.has(key));
  }

  /** For a worker that begins. */
  ofOthers(index: number): PublicAddress[] {
    const others = [...this.#known].filter(([from]) => from !== index);
    return others.flatMap(([, own]) => [...own.values()]);
  }

  /** The worker has died, and what it had is nobody's. */
  forget(from: number): void {
    const own = this.#known.get(from);
    this.#known.delete(from);
    for (const message of own?.values() ?? []) this.#tell({ ...message, isBound: false }, from);
  }
}

function keyOf(address: Endpoint, protocol: number): string {
  return `${protocol} ${formatEndpoint(address)}`;
}
