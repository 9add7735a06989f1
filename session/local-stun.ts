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
import { decode, has, looksLikeStun, type StunMessage } from '../wire/stun/message.ts';
import { METHODS } from '../wire/stun/registry.ts';
import * as udp from '../wire/udp.ts';
import type { ClientSlot } from './client-bindings.ts';
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

  /** Which of our servers this packet asks; undefined for every packet that is to be tunnelled. */
  serverAsked(b: Uint8Array, view: PacketView): Endpoint | undefined {
    if (this.#servers.length === 0 || view.protocol !== udp.PROTOCOL) return undefined;
    for (const server of this.#servers) {
      if (server.port !== view.destinationPort) continue;
      if (server.address.length !== view.addressLength) continue;
      if (!equal(server.address, 0, b, view.destinationAt, view.addressLength)) continue;
      return looksLikeStun(b, view.payload, view.payloadEnd) ? server : undefined;
    }
    return undefined;
  }

  /** The request that the packet carries, when it is a plain one. */
  request(b: Uint8Array, view: PacketView): StunMessage | undefined {
    const message = decode(b, view.payload, view.payloadEnd);
    if (typeof message === 'number') return undefined;
    const isBinding = message.class === 'request' && message.method === METHODS.BINDING;
    return isBinding && !has(message, 'USERNAME') ? message : undefined;
  }

  /** Answers the request that the slot holds, once it has its public address. */
  answer(slot: ClientSlot, sink: PacketSink): void {
    const { held, address } = slot;
    if (held === undefined || address === undefined) return;
    slot.held = undefined;
    const answer = answerBinding(held.request, address, this.#software);
    if (answer === undefined) return;
    const out = this.#scratch;
    const end = writeUdpPacket(out, 0, held.server, slot.ue, answer, 0, answer.length);
    sink.packet(out, 0, end, slot.number);
  }
}
