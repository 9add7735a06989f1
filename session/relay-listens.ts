/**
 * Relay mode (tep-wire 5): a public port is good only once the agent has a socket on it; with
 * `opensAddresses`, once its packets come to the agent. The answer to a bind request is held until
 * then; a port that cannot be had (another program has it) is replaced by another one, a few times.
 *
 * Memory: one entry for each public port, one held answer for each binding that waits.
 */
import type { ErrorCode } from '../wire/stun/registry.ts';
import type { ServerOutput } from './outputs.ts';
import type { BindRequest, ServerBindings, ServerSlot } from './server-bindings.ts';
import type { Asked } from './server-requests.ts';
import type { Tunnel } from './server-tunnels.ts';

const MAX_TRIES = 8;

interface Held {
  asked: Asked;
  readonly tunnel: Tunnel;
  readonly wish: BindRequest;
  tries: number;
  /** Sockets not there yet. */
  missing: number;
}

export interface RelayListensParts {
  readonly bindings: ServerBindings;
  tell(output: ServerOutput): void;
  granted(slot: ServerSlot, asked: Asked, now: number): void;
  refused(code: ErrorCode, asked: Asked, now: number): void;
}

export class RelayListens {
  readonly #parts: RelayListensParts;
  readonly #slots = new Map<number, ServerSlot>();
  readonly #ids = new Map<ServerSlot, number>();
  readonly #held = new Map<ServerSlot, Held>();
  #lastId = 0;

  constructor(parts: RelayListensParts) {
    this.#parts = parts;
  }

  /** Asks for the sockets of a new slot and its twin, and holds the answer. */
  hold(slot: ServerSlot, tunnel: Tunnel, wish: BindRequest, asked: Asked): void {
    this.#listen(slot, { asked, tunnel, wish, tries: 1, missing: 0 });
  }

  /** The same request again, over another connection: that one gets the answer. */
  isHeld(slot: ServerSlot, asked: Asked): boolean {
    const held = this.#held.get(slot);
    if (held !== undefined) held.asked = asked;
    return held !== undefined;
  }

  /** An id that is not known any more was released while the agent was at it. */
  listening(id: number, now: number): void {
    const first = firstOf(this.#slots.get(id));
    const held = first && this.#held.get(first);
    if (first === undefined || held === undefined) return;
    held.missing -= 1;
    if (held.missing > 0) return;
    this.#held.delete(first);
    this.#parts.granted(first, held.asked, now);
  }

  failed(id: number, now: number): void {
    const slot = this.#slots.get(id);
    const first = firstOf(slot);
    const held = first && this.#held.get(first);
    if (slot === undefined || first === undefined || held === undefined) return;
    this.#slots.delete(id);
    this.#ids.delete(slot);
    this.#held.delete(first);
    for (const each of twins(first)) {
      this.end(each);
      this.#parts.bindings.release(each);
    }
    const again =
      held.tries < MAX_TRIES
        ? this.#parts.bindings.grant(held.tunnel, { ...held.wish, port: 0 })
        : 508;
    held.tries += 1;
    if (typeof again === 'number') this.#parts.refused(again, held.asked, now);
    else this.#listen(again, held);
  }

  /** The slot is given back: its socket is not needed any more. */
  end(slot: ServerSlot): void {
    this.#held.delete(slot);
    const id = this.#ids.get(slot);
    if (id === undefined) return;
    this.#ids.delete(slot);
    this.#slots.delete(id);
    const { address, protocol } = slot;
    this.#parts.tell({ type: 'listen-end', id, address, protocol });
  }

  #listen(first: ServerSlot, held: Held): void {
    const all = twins(first);
    held.missing = all.length;
    this.#held.set(first, held);
    for (const slot of all) {
      this.#lastId += 1;
      this.#slots.set(this.#lastId, slot);
      this.#ids.set(slot, this.#lastId);
      const { address, protocol } = slot;
      this.#parts.tell({ type: 'listen', id: this.#lastId, address, protocol });
    }
  }
}

function firstOf(slot: ServerSlot | undefined): ServerSlot | undefined {
  return slot === undefined || slot.isFirst ? slot : slot.twin;
}

function twins(first: ServerSlot): ServerSlot[] {
  return first.twin === undefined ? [first] : [first, first.twin];
}
