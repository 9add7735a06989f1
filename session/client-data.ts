/**
 * The way of a packet through TEP-C (tep-wire 6; standards M-11, M-14). Nothing here allocates, but
 * for STUN of applications.
 *
 *   up    application → readPacket → binding of its source → source := public address → record
 *   down  record → readPacket → binding of its destination → destination := UE address → application
 *
 * In an ICMP error the address that counts is the one in the packet inside: an error about a packet
 * that the UE sent or was to get belongs to the binding of that packet.
 */

import { equal } from '../wire/bytes.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import { PacketView, readPacket } from '../wire/packet.ts';
import {
  finishChecksums,
  rewriteDestination,
  rewriteIcmpDestination,
  rewriteIcmpSource,
  rewriteSource,
} from '../wire/rewrite.ts';
import type { ClientBindings, ClientSlot, HeldRequest } from './client-bindings.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Connections } from './connections.ts';
import type { Counters } from './counters.ts';
import { headerSumRight } from './header-sum.ts';
import type { LocalStun } from './local-stun.ts';
import type { ClientOutput, PacketSink } from './outputs.ts';
import { leastPending } from './stripe-choice.ts';

export interface ClientDataParts {
  readonly bindings: ClientBindings;
  readonly connections: Connections<ClientConnection, ClientOutput>;
  /** The connections that records may take; kept by the owner of the tunnel. */
  readonly ready: readonly ClientConnection[];
  readonly counters: Counters;
  readonly stun: LocalStun;
  readonly sink: PacketSink;
  /** The slot of an application's socket that runs STUN itself; undefined when it gets none. */
  slotFor(b: Uint8Array, view: PacketView, now: number): ClientSlot | undefined;
}

export class ClientData {
  /** Set by every record, either way; the owner of the tunnel takes it back. */
  isFlowing = false;
  readonly #parts: ClientDataParts;
  readonly #view = new PacketView();

  constructor(parts: ClientDataParts) {
    this.#parts = parts;
  }

  up(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    const view = this.#view;
    const fault = readPacket(view, b, at, end);
    if (fault !== 0) return fault;
    if (view.isIcmpError) return this.#errorUp(b, now);
    const question = this.#parts.stun.question(b, view);
    if (question !== undefined) return this.#answer(question, b, now);
    const slot = this.#parts.bindings.byUe(
      b,
      view.sourceAt,
      view.addressLength,
      view.sourcePort,
      view.protocol,
    );
    if (slot === undefined || slot.address === undefined) return FAULTS.NO_BINDING;
    finishChecksums(b, view);
    if (!headerSumRight(b, view)) return FAULTS.IP_CHECKSUM;
    rewriteSource(b, view, slot.address.address, 0, slot.address.port);
    return this.#send(b, slot, now);
  }

  down(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    this.isFlowing = true;
    const { counters, sink } = this.#parts;
    counters.receivedRecords += 1;
    counters.receivedOctets += end - at;
    const view = this.#view;
    const fault = readPacket(view, b, at, end);
    if (fault !== 0) return fault;
    const slot = view.isIcmpError ? this.#errorDown(b) : this.#packetDown(b);
    if (slot === undefined) return FAULTS.NO_BINDING;
    slot.binding.usedMs = now;
    sink.packet(b, view.start, view.end, slot.number);
    return 0;
  }

  #packetDown(b: Uint8Array): ClientSlot | undefined {
    const view = this.#view;
    const slot = this.#parts.bindings.byPublic(
      b,
      view.destinationAt,
      view.addressLength,
      view.destinationPort,
      view.protocol,
    );
    if (slot !== undefined) rewriteDestination(b, view, slot.ue.address, 0, slot.ue.port);
    return slot;
  }

  /** An error about a packet that the UE had sent: it is inside, with the public source. */
  #errorDown(b: Uint8Array): ClientSlot | undefined {
    const view = this.#view;
    if (!equal(b, view.destinationAt, b, view.embeddedSourceAt, view.addressLength)) {
      return undefined;
    }
    const slot = this.#parts.bindings.byPublic(
      b,
      view.embeddedSourceAt,
      view.addressLength,
      view.embeddedSourcePort,
      view.embeddedProtocol,
    );
    if (slot !== undefined) rewriteIcmpDestination(b, view, slot.ue.address, 0, slot.ue.port);
    return slot;
  }

  /** An error of the UE about a packet that it got: it is inside, with the UE as destination. */
  #errorUp(b: Uint8Array, now: number): 0 | Fault {
    const view = this.#view;
    const slot = this.#parts.bindings.byUe(
      b,
      view.embeddedDestinationAt,
      view.addressLength,
      view.embeddedDestinationPort,
      view.embeddedProtocol,
    );
    if (slot === undefined || slot.address === undefined) return FAULTS.NO_BINDING;
    finishChecksums(b, view);
    if (!headerSumRight(b, view)) return FAULTS.IP_CHECKSUM;
    rewriteIcmpSource(b, view, slot.address.address, 0, slot.address.port);
    return this.#send(b, slot, now);
  }

  #send(b: Uint8Array, slot: ClientSlot, now: number): 0 | Fault {
    const { connections, counters, ready } = this.#parts;
    const view = this.#view;
    const c = leastPending(ready);
    if (c === undefined) return FAULTS.NO_CONNECTION;
    const fault = connections.sendRecord(c, b, view.start, view.end, now);
    if (fault !== 0) return fault;
    slot.binding.usedMs = now;
    this.isFlowing = true;
    counters.sentRecords += 1;
    counters.sentOctets += view.end - view.start;
    return 0;
  }

  /** A STUN request for us: answered now, or once there is a binding. */
  #answer(held: HeldRequest, b: Uint8Array, now: number): 0 | Fault {
    const { slotFor, stun, sink } = this.#parts;
    const slot = slotFor(b, this.#view, now);
    if (slot === undefined) return FAULTS.NO_BINDING;
    slot.held = held;
    slot.binding.usedMs = now;
    stun.answer(slot, sink);
    return 0;
  }
}
