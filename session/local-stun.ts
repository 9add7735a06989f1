/**
 * STUN of applications on the UE, answered by TEP-C itself (tep-wire 5): an application that asks one
 * of TEP-S's media addresses for its public address, from the socket that it will use for media,
 * learns the one that its binding has. Only plain Binding requests are meant: connectivity checks of
 * ICE carry USERNAME and belong to the peer behind that address.
 */
import type { Endpoint } from '../wire/address.ts';
import { writeUdpPacket } from '../wire/build.ts';
import { equal } from '../wire/bytes.ts';
import type { PacketView } from '../wire/packet.ts';
import { answerBinding } from '../wire/stun/binding.ts';
import { decode, has, looksLikeStun } from '../wire/stun/message.ts';
import { METHODS } from '../wire/stun/registry.ts';
import * as udp from '../wire/udp.ts';
import type { ClientSlot, HeldRequest } from './client-bindings.ts';
import type { PacketSink } from './outputs.ts';

/** An answer is far shorter than the longest STUN message; headers of IPv6 and UDP before it. */
const SCRATCH_LEN = 1500;

export class LocalStun {
  readonly #servers: readonly Endpoint[];
  readonly #software: string;
  readonly #scratch = new Uint8Array(SCRATCH_LEN);

  constructor(servers: readonly Endpoint[], software: string) {
    this.#servers = servers;
    this.#software = software;
  }

  /** The plain request to one of our servers; undefined for every packet that is to be tunnelled. */
  question(b: Uint8Array, view: PacketView): HeldRequest | undefined {
    const server = this.#serverAsked(b, view);
    if (server === undefined) return undefined;
    const request = decode(b, view.payload, view.payloadEnd);
    if (typeof request === 'number' || request.class !== 'request') return undefined;
    if (request.method !== METHODS.BINDING || has(request, 'USERNAME')) return undefined;
    return { request, server };
  }

  /** Answers the request that the slot holds, once it has its public address. */
  answer(slot: ClientSlot, sink: PacketSink, now: number): void {
    const { held, address } = slot;
    if (held === undefined || address === undefined) return;
    slot.held = undefined;
    const answer = answerBinding(held.request, address, this.#software);
    if (answer === undefined) return;
    const out = this.#scratch;
    const end = writeUdpPacket(out, 0, held.server, slot.ue, answer, 0, answer.length);
    sink.packet(out, 0, end, slot.number, now);
  }

  #serverAsked(b: Uint8Array, view: PacketView): Endpoint | undefined {
    if (this.#servers.length === 0 || view.protocol !== udp.PROTOCOL) return undefined;
    for (const server of this.#servers) {
      if (server.port !== view.destinationPort) continue;
      if (server.address.length !== view.addressLength) continue;
      if (!equal(server.address, 0, b, view.destinationAt, view.addressLength)) continue;
      return looksLikeStun(b, view.payload, view.payloadEnd) ? server : undefined;
    }
    return undefined;
  }
}
