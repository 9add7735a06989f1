/**
 * The way of a packet through TEP-C (tep-wire 6; standards M-11, M-14). Nothing here allocates, but
 * for STUN of applications and the first packets of a flow.
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
import * as tcp from '../wire/tcp.ts';
import type { AutomaticBindings } from './automatic-bindings.ts';
import type { ClientBinding, ClientBindings, ClientSlot, HeldRequest } from './client-bindings.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Counters } from './counters.ts';
import { HeldPackets } from './held-packets.ts';
import type { LocalStun } from './local-stun.ts';
import type { MediaSender } from './media/media-sender.ts';
import type { PacketSink } from './outputs.ts';
import type { Reach } from './reach.ts';
import type { Refuser } from './refuser.ts';

export interface ClientDataParts {
  readonly bindings: ClientBindings;
  readonly media: MediaSender<ClientConnection>;
  /** The connections that records may take; kept by the owner of the tunnel. */
  readonly ready: readonly ClientConnection[];
  readonly counters: Counters;
  readonly stun: LocalStun;
  readonly sink: PacketSink;
  readonly automatic: AutomaticBindings;
  readonly reach: Reach;
  readonly refuser: Refuser;
}

export class ClientData {
  /** Set by every record, either way; the owner of the tunnel takes it back. */
  isFlowing = false;
  readonly #parts: ClientDataParts;
  readonly #view = new PacketView();
  readonly #held: HeldPackets;

  constructor(parts: ClientDataParts) {
    this.#parts = parts;
    this.#held = new HeldPackets((fault) => parts.counters.drop(fault));
  }

  /** When packets that wait for a binding become too old. */
  heldDueMs(): number {
    return this.#held.dueMs();
  }

  timeout(now: number): void {
    this.#held.timeout(now);
  }

  /** What waited for this binding goes now. */
  granted(binding: ClientBinding, now: number): void {
    for (const slot of binding.slots) {
      for (const octets of this.#held.take(slot)) {
        const fault = this.up(octets, 0, octets.length, now);
        if (fault !== 0) this.#parts.counters.drop(fault);
      }
    }
  }

  /** What waited for this binding does not go. */
  lost(binding: ClientBinding, now: number): void {
    for (const slot of binding.slots) this.#refuseAll(this.#held.take(slot), now);
  }

  /** No tunnel can be had: whoever waits for one is told now. */
  outage(now: number): void {
    this.#refuseAll(this.#held.takeAll(), now);
  }

  #refuseAll(packets: readonly Uint8Array[], now: number): void {
    for (const octets of packets) {
      if (readPacket(this.#view, octets, 0, octets.length) !== 0) continue;
      this.#parts.counters.drop(this.#unbound(octets, now));
    }
  }

  up(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    const view = this.#view;
    const fault = readPacket(view, b, at, end);
    if (fault !== 0) return fault;
    if (view.isIcmpError) return this.#errorUp(b, now);
    const { reach, ready, stun } = this.#parts;
    const question = stun.question(b, view);
    if (question !== undefined) return this.#answer(question, b, now);
    const slot = this.#slotOf(b, now);
    if (slot === undefined) return this.#unbound(b, now);
    slot.binding.sentMs = now;
    if (slot.address === undefined) return this.#wait(slot, b, now);
    // Without a connection it waits for the next one, unless none is to be had.
    if (ready.length === 0 && reach.isOut) return this.#refuse(FAULTS.NO_TUNNEL, b, now);
    if (!finishChecksums(b, view)) return FAULTS.IP_CHECKSUM;
    rewriteSource(b, view, slot.address.address, 0, slot.address.port);
    if (view.protocol === tcp.PROTOCOL) this.#segment(slot, b, now);
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
    if (view.protocol === tcp.PROTOCOL) this.#segment(slot, b, now);
    sink.packet(b, view.start, view.end, slot.number, now);
    return 0;
  }

  /** The binding of the sender; the first packet of a flow makes it. */
  #slotOf(b: Uint8Array, now: number): ClientSlot | undefined {
    const view = this.#view;
    const { automatic, bindings } = this.#parts;
    const { sourceAt, addressLength, sourcePort, protocol } = view;
    const known = bindings.byUe(b, sourceAt, addressLength, sourcePort, protocol);
    return known ?? automatic.forFlow(b, view, now);
  }

  /**
   * The public address is being asked for. Whoever called `bind` is to wait for the answer; others do
   * not know that there is something to wait for.
   */
  #wait(slot: ClientSlot, b: Uint8Array, now: number): 0 | Fault {
    slot.binding.usedMs = now;
    if (this.#parts.reach.isOut) return this.#refuse(FAULTS.NO_TUNNEL, b, now);
    if (!slot.binding.isAutomatic) return FAULTS.NO_BINDING;
    const { start, end } = this.#view;
    this.#held.hold(slot, b, start, end, now);
    return 0;
  }

  #unbound(b: Uint8Array, now: number): Fault {
    const { automatic, reach } = this.#parts;
    if (reach.isOut) return this.#refuse(FAULTS.NO_TUNNEL, b, now);
    const refused = automatic.isRefused(this.#view, now);
    return this.#refuse(refused ? FAULTS.BINDING_REFUSED : FAULTS.NO_BINDING, b, now);
  }

  #refuse(fault: Fault, b: Uint8Array, now: number): Fault {
    this.#parts.refuser.answer(b, this.#view, now);
    return fault;
  }

  #segment(slot: ClientSlot, b: Uint8Array, now: number): void {
    const flags = tcp.flags(b, this.#view.transport);
    this.#parts.automatic.segment(slot.binding, flags, now);
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
    if (!finishChecksums(b, view)) return FAULTS.IP_CHECKSUM;
    rewriteIcmpSource(b, view, slot.address.address, 0, slot.address.port);
    return this.#send(b, slot, now);
  }

  #send(b: Uint8Array, slot: ClientSlot, now: number): 0 | Fault {
    const fault = this.#parts.media.send(slot.media, b, this.#view, now);
    if (fault !== 0) return fault;
    slot.binding.usedMs = now;
    this.isFlowing = true;
    return 0;
  }

  /** A STUN request for us: answered now, or once there is a binding. */
  #answer(held: HeldRequest, b: Uint8Array, now: number): 0 | Fault {
    const { automatic, reach, stun, sink } = this.#parts;
    const slot = automatic.forStun(b, this.#view, now);
    if (slot === undefined) return this.#unbound(b, now);
    if (reach.isOut) return this.#refuse(FAULTS.NO_TUNNEL, b, now);
    slot.held = held;
    slot.binding.usedMs = now;
    stun.answer(slot, sink, now);
    return 0;
  }
}
