/**
 * Bind and release requests at TEP-S (tep-wire 5). Both are idempotent: the same request gets the same
 * answer, over another connection too.
 */
import { FAULTS } from '../wire/faults.ts';
import { find, hasForeign } from '../wire/stun/message.ts';
import { BINDING_FLAGS } from '../wire/stun/registry.ts';
import type { Counters } from './counters.ts';
import { mapped } from './messages.ts';
import type { ServerOutput } from './outputs.ts';
import { RelayListens } from './relay-listens.ts';
import type { BindRequest, ServerBindings, ServerSlot } from './server-bindings.ts';
import type { Asked, ServerRequests } from './server-requests.ts';
import type { Tunnel } from './server-tunnels.ts';

export interface ServerBinderParts {
  readonly bindings: ServerBindings;
  readonly requests: ServerRequests;
  readonly counters: Counters;
  tell(output: ServerOutput): void;
}

export class ServerBinder {
  readonly listens: RelayListens;
  readonly #parts: ServerBinderParts;

  constructor(parts: ServerBinderParts) {
    const { bindings, requests, tell } = parts;
    this.#parts = parts;
    this.listens = new RelayListens({
      bindings,
      tell,
      granted: (slot, asked, now) => this.#granted(slot, asked, now),
      refused: (code, asked, now) => requests.refuse(code, asked, now),
    });
  }

  /** A request with TEP-BINDING, of a connection of this tunnel. */
  asked(asked: Asked, tunnel: Tunnel, now: number): void {
    const { c, message } = asked;
    const wanted = find(message, 'TEP-BINDING');
    if (wanted === undefined) return;
    if (hasForeign(message, 'REQUESTED-ADDRESS-FAMILY')) {
      this.#parts.requests.refuse(440, asked, now);
      return;
    }
    const wish: BindRequest = {
      transactionId: message.transactionId,
      family: find(message, 'REQUESTED-ADDRESS-FAMILY') ?? c.peer.family,
      port: wanted.port,
      pair: (wanted.flags & BINDING_FLAGS.EVEN_PORT) !== 0,
      protocol: wanted.protocol,
    };
    if ((wanted.flags & BINDING_FLAGS.RELEASE) !== 0) this.#release(asked, tunnel, wish, now);
    else this.#bind(asked, tunnel, wish, now);
  }

  releaseAll(tunnel: Tunnel): void {
    for (const slot of tunnel.slots) this.#giveBack(slot);
  }

  #bind(asked: Asked, tunnel: Tunnel, wish: BindRequest, now: number): void {
    const { bindings, counters, requests } = this.#parts;
    const known = bindings.known(tunnel, wish);
    if (known !== undefined) {
      if (!this.listens.isHeld(known, asked)) this.#answer(known, asked, now);
      return;
    }
    const slot = bindings.grant(tunnel, wish);
    if (typeof slot === 'number') {
      if (slot === 486) counters.note(FAULTS.QUOTA_BINDINGS);
      requests.refuse(slot, asked, now);
    } else if (bindings.needOpening) {
      this.listens.hold(slot, tunnel, wish, asked);
    } else {
      this.#granted(slot, asked, now);
    }
  }

  #granted(slot: ServerSlot, asked: Asked, now: number): void {
    for (const each of slot.twin === undefined ? [slot] : [slot, slot.twin]) {
      const { tunnel, number: binding, address, protocol } = each;
      each.isTold = true;
      this.#parts.tell({ type: 'bound', tunnel: tunnel.id, binding, address, protocol });
    }
    this.#answer(slot, asked, now);
  }

  #answer(slot: ServerSlot, asked: Asked, now: number): void {
    const flags = slot.twin === undefined ? 0 : BINDING_FLAGS.EVEN_PORT;
    const value = { port: slot.address.port, flags, protocol: slot.protocol };
    this.#parts.requests.succeed(
      asked,
      [mapped(slot.address), { type: 'TEP-BINDING', value }],
      now,
    );
  }

  /** What is not bound (any more) counts as released. */
  #release(asked: Asked, tunnel: Tunnel, wish: BindRequest, now: number): void {
    const slot = this.#parts.bindings.named(tunnel, wish);
    const twin = wish.pair ? slot?.twin : undefined;
    for (const each of [slot, twin]) if (each !== undefined) this.#giveBack(each);
    const pair = wish.pair ? BINDING_FLAGS.EVEN_PORT : 0;
    const flags = BINDING_FLAGS.RELEASE | pair;
    const value = { port: wish.port, flags, protocol: wish.protocol };
    this.#parts.requests.succeed(asked, [{ type: 'TEP-BINDING', value }], now);
  }

  #giveBack(slot: ServerSlot): void {
    const { tunnel, number: binding, address, protocol } = slot;
    this.listens.end(slot);
    this.#parts.bindings.release(slot);
    if (!slot.isTold) return;
    this.#parts.tell({ type: 'released', tunnel: tunnel.id, binding, address, protocol });
  }
}
