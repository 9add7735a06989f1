/**
 * The way of a packet through TEP-S (tep-wire 6; standards M-12, M-13, G-22, C-22). Nothing here
 * allocates.
 *
 *   up    record → within the user's rate? → source bound to this tunnel? → destination an allowed
 *         media address, and none of our own? → core
 *   down  core → destination bound? → source an allowed media address? → within the user's rate?
 *         → record of that tunnel
 *
 * In an ICMP error the packet inside is what counts, and the error must go between the same two
 * addresses as that packet went: it could be sent to anybody otherwise.
 */
import { equal } from '../wire/bytes.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import { PacketView, readPacket } from '../wire/packet.ts';
import { finishChecksums } from '../wire/rewrite.ts';
import type { Counters } from './counters.ts';
import { Deadlines } from './deadlines.ts';
import type { MediaSender } from './media/media-sender.ts';
import type { PacketSink } from './outputs.ts';
import type { ServerBindings, ServerSlot } from './server-bindings.ts';
import type { ServerConnection } from './server-connection.ts';
import type { Tunnel } from './server-tunnels.ts';

/** Which addresses of the core side may speak with a public address (policy.ts). */
export interface AddressPolicy {
  judge(
    b: Uint8Array,
    remoteAt: number,
    length: number,
    remotePort: number,
    protocol: number,
    localAt: number,
    localPort: number,
  ): 0 | Fault;
}

export interface ServerDataParts {
  readonly bindings: ServerBindings;
  readonly counters: Counters;
  readonly policy: AddressPolicy;
  readonly sink: PacketSink;
}

export class ServerData {
  readonly #parts: ServerDataParts;
  readonly #view = new PacketView();
  /** The ways out of tunnels for which something waits. */
  readonly #waiting = new Deadlines<MediaSender<ServerConnection>>();

  constructor(parts: ServerDataParts) {
    this.#parts = parts;
  }

  /** A record of this tunnel. */
  up(tunnel: Tunnel, b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    received(this.#parts.counters, end - at);
    received(tunnel.counters, end - at);
    if (!tunnel.rates.up.take(end - at, now)) return FAULTS.QUOTA_RATE;
    const view = this.#view;
    const fault = readPacket(view, b, at, end);
    if (fault !== 0) return fault;
    const slot = view.isIcmpError ? this.#errorUp(b) : this.#packetUp(b);
    if (slot === undefined || slot.tunnel !== tunnel) return FAULTS.FOREIGN_SOURCE;
    const forbidden = view.isIcmpError ? this.#judgeErrorUp(b) : this.#judgePacketUp(b);
    if (forbidden !== 0) return forbidden;
    this.#parts.sink.packet(b, view.start, view.end, slot.number, now);
    return 0;
  }

  /** A packet of the core. */
  down(b: Uint8Array, at: number, end: number, now: number): 0 | Fault {
    const view = this.#view;
    const fault = readPacket(view, b, at, end);
    if (fault !== 0) return fault;
    const slot = view.isIcmpError ? this.#errorDown(b) : this.#packetDown(b);
    if (slot === undefined) return FAULTS.NO_BINDING;
    const refused = this.#send(slot, b, now);
    if (refused !== 0) slot.tunnel.counters.drop(refused);
    return refused;
  }

  timeout(now: number): void {
    for (let m = this.#waiting.due(now); m !== undefined; m = this.#waiting.due(now)) {
      m.timeout(now);
      this.#watch(m);
    }
  }

  nextTimeout(): number {
    return this.#waiting.next();
  }

  /** The tunnel is over, and what waits for its connections with it. */
  forget({ media }: Tunnel): void {
    media.end();
    this.#waiting.remove(media);
  }

  #watch(media: MediaSender<ServerConnection>): void {
    const due = media.nextTimeout();
    if (due !== Number.POSITIVE_INFINITY) this.#waiting.setNoLater(media, due);
  }

  #send(slot: ServerSlot, b: Uint8Array, now: number): 0 | Fault {
    const view = this.#view;
    const { media, rates } = slot.tunnel;
    if (this.#judgeDown(b) !== 0) return FAULTS.SOURCE_FORBIDDEN;
    if (!rates.down.take(view.end - view.start, now)) return FAULTS.QUOTA_RATE;
    if (!finishChecksums(b, view)) return FAULTS.IP_CHECKSUM;
    const fault = media.send(slot.media, b, view, now);
    if (media.isWaiting) this.#watch(media);
    return fault;
  }

  #packetUp(b: Uint8Array): ServerSlot | undefined {
    const view = this.#view;
    return this.#parts.bindings.find(
      b,
      view.sourceAt,
      view.addressLength,
      view.sourcePort,
      view.protocol,
    );
  }

  /** The error comes from the address that the packet inside went to. */
  #errorUp(b: Uint8Array): ServerSlot | undefined {
    const view = this.#view;
    if (!equal(b, view.sourceAt, b, view.embeddedDestinationAt, view.addressLength)) {
      return undefined;
    }
    return this.#parts.bindings.find(
      b,
      view.embeddedDestinationAt,
      view.addressLength,
      view.embeddedDestinationPort,
      view.embeddedProtocol,
    );
  }

  #packetDown(b: Uint8Array): ServerSlot | undefined {
    const view = this.#view;
    return this.#parts.bindings.find(
      b,
      view.destinationAt,
      view.addressLength,
      view.destinationPort,
      view.protocol,
    );
  }

  /** The error goes to the address that the packet inside came from. */
  #errorDown(b: Uint8Array): ServerSlot | undefined {
    const view = this.#view;
    if (!equal(b, view.destinationAt, b, view.embeddedSourceAt, view.addressLength)) {
      return undefined;
    }
    return this.#parts.bindings.find(
      b,
      view.embeddedSourceAt,
      view.addressLength,
      view.embeddedSourcePort,
      view.embeddedProtocol,
    );
  }

  #judgePacketUp(b: Uint8Array): 0 | Fault {
    const view = this.#view;
    return this.#judgeUp(
      b,
      view.destinationAt,
      view.addressLength,
      view.destinationPort,
      view.protocol,
      view.sourceAt,
      view.sourcePort,
    );
  }

  /** The error goes to the sender of the packet inside. */
  #judgeErrorUp(b: Uint8Array): 0 | Fault {
    const view = this.#view;
    if (!equal(b, view.destinationAt, b, view.embeddedSourceAt, view.addressLength)) {
      return FAULTS.DESTINATION_FORBIDDEN;
    }
    return this.#judgeUp(
      b,
      view.embeddedSourceAt,
      view.addressLength,
      view.embeddedSourcePort,
      view.embeddedProtocol,
      view.embeddedDestinationAt,
      view.embeddedDestinationPort,
    );
  }

  #judgeUp(
    b: Uint8Array,
    at: number,
    length: number,
    port: number,
    protocol: number,
    localAt: number,
    localPort: number,
  ): 0 | Fault {
    const { bindings, policy } = this.#parts;
    const fault = policy.judge(b, at, length, port, protocol, localAt, localPort);
    if (fault !== 0) return fault;
    return bindings.isOwn(b, at, length, port, protocol) ? FAULTS.DESTINATION_OWN : 0;
  }

  /** Routers on the way send errors too: what counts is where the packet inside was going. */
  #judgeDown(b: Uint8Array): 0 | Fault {
    const view = this.#view;
    const error = view.isIcmpError;
    return this.#parts.policy.judge(
      b,
      error ? view.embeddedDestinationAt : view.sourceAt,
      view.addressLength,
      error ? view.embeddedDestinationPort : view.sourcePort,
      error ? view.embeddedProtocol : view.protocol,
      error ? view.embeddedSourceAt : view.destinationAt,
      error ? view.embeddedSourcePort : view.destinationPort,
    );
  }
}

function received(counters: Counters, length: number): void {
  counters.receivedRecords += 1;
  counters.receivedOctets += length;
}
