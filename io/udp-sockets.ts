/**
 * The packet port `sockets`: ordinary UDP sockets, no privilege. Each socket stands for one endpoint:
 * what arrives on it becomes a packet from its sender to that endpoint, and packets whose source is
 * that endpoint leave through it.
 *
 *   TEP-S in relay mode   the socket stands for itself: it is the public address
 *   TEP-C                 the socket, where the application sends to, stands for a media gateway's
 *                         address; answers go back to whatever address the application used
 *
 * Sockets carry UDP only and tell neither DSCP nor TTL.
 */
import { EndpointTable } from '../session/endpoint-table.ts';
import type { RandomSource } from '../session/tunnel-end.ts';
import type { Endpoint } from '../wire/address.ts';
import { putUdpHeaders } from '../wire/build.ts';
import { equal } from '../wire/bytes.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import { PacketView, readPacket } from '../wire/packet.ts';
import * as udp from '../wire/udp.ts';
import { type Datagrams, openDatagrams } from './datagrams.ts';
import { type IoFault, isIoFault } from './io-fault.ts';
import { type PacketReceiver, PortCounts, type RelayPort } from './packet-port.ts';

/** The longest record of a tunnel (tep-wire 2). */
const MAX_PACKET_LEN = 65_535;
const MAX_SOCKETS = 65_536;
/** Of one socket. */
const MAX_SENDERS = 64;
const SEED_LEN = 8;

export class UdpSockets implements RelayPort {
  readonly counters = new PortCounts();
  readonly #datagrams: Datagrams;
  /** What the open sockets stand for. */
  readonly #faces = new Map<number, Endpoint>();
  /** The addresses that they have, and who is known to send to them, by port. */
  readonly #locals = new Map<number, Endpoint>();
  readonly #senders = new Map<number, Map<number, Endpoint>>();
  /** Ids whose socket is being opened; taken out when they are closed before that. */
  readonly #opening = new Set<number>();
  readonly #table: EndpointTable;
  readonly #view = new PacketView();
  #receive: PacketReceiver | undefined;

  constructor(random: RandomSource, open: typeof openDatagrams = openDatagrams) {
    this.#table = new EndpointTable({ seed: random(SEED_LEN), maxEntries: MAX_SOCKETS });
    this.#datagrams = open({
      received: (id, b, at, end, from) => this.#arrived(id, b, at, end, from),
      refused: () => this.#refused(),
    });
  }

  start(receive: PacketReceiver): void {
    if (this.#receive !== undefined) throw new RangeError('the port was started already');
    this.#receive = receive;
  }

  /** Opens socket `id` on `at`, to stand for `standsFor`, or for itself. Gives the address it has. */
  async listen(id: number, at: Endpoint, standsFor?: Endpoint): Promise<Endpoint | IoFault> {
    if (this.#faces.has(id) || this.#opening.has(id)) throw new RangeError(`socket ${id} is open`);
    if (standsFor !== undefined && standsFor.family !== at.family) {
      throw new RangeError('a socket cannot stand for an address of the other family');
    }
    this.#opening.add(id);
    const local = await this.#datagrams.open(id, at);
    const wanted = this.#opening.delete(id);
    if (isIoFault(local)) return local;
    if (!wanted) {
      await this.#datagrams.close(id);
      return { type: 'io-fault', code: 'ECANCELED', text: 'closed before it was open' };
    }
    const face = standsFor ?? local;
    this.#table.set(face.address, 0, face.address.length, face.port, udp.PROTOCOL, id);
    this.#faces.set(id, face);
    this.#locals.set(id, local);
    return local;
  }

  /**
   * What comes to socket `id` from this machine and the port of `sender` is from `sender`: an application
   * that is bound to all addresses sends from the one that the way to the socket begins with.
   */
  know(id: number, sender: Endpoint): void {
    const local = this.#locals.get(id);
    if (local === undefined || local.family !== sender.family) return;
    const known = this.#senders.get(id) ?? new Map<number, Endpoint>();
    if (known.size >= MAX_SENDERS) return;
    this.#senders.set(id, known.set(sender.port, sender));
  }

  /** Closes socket `id`, or gives up opening it. */
  async release(id: number): Promise<void> {
    this.#opening.delete(id);
    const face = this.#faces.get(id);
    if (face === undefined) return;
    this.#faces.delete(id);
    this.#locals.delete(id);
    this.#senders.delete(id);
    const { address, port } = face;
    this.#table.delete(address, 0, address.length, port, udp.PROTOCOL);
    await this.#datagrams.close(id);
  }

  send(b: Uint8Array, at: number, end: number): void {
    const view = this.#view;
    const fault = readPacket(view, b, at, end);
    if (fault !== 0 || view.protocol !== udp.PROTOCOL) {
      this.counters.drop('not-udp');
      return;
    }
    const length = view.addressLength;
    const id = this.#table.find(b, view.sourceAt, length, view.sourcePort, udp.PROTOCOL);
    if (id < 0) {
      this.counters.drop('no-socket');
      return;
    }
    const { payload, payloadEnd, destinationAt, destinationPort } = view;
    this.counters.sent += 1;
    this.#datagrams.send(id, b, payload, payloadEnd, b, destinationAt, destinationPort);
  }

  flush(): void {
    this.#datagrams.flush();
  }

  async close(): Promise<void> {
    this.#opening.clear();
    await Promise.all([...this.#faces.keys()].map((id) => this.release(id)));
    await this.#datagrams.end();
  }

  #arrived(id: number, b: Uint8Array, at: number, end: number, from: Endpoint): void {
    const face = this.#faces.get(id);
    const header = from.family === 4 ? ipv4.MIN_HEADER_LEN : ipv6.HEADER_LEN;
    const fits = header + udp.HEADER_LEN + end - at <= MAX_PACKET_LEN;
    if (face === undefined || !fits || this.#receive === undefined) {
      this.counters.drop(fits ? 'not-started' : 'too-long');
      return;
    }
    this.counters.received += 1;
    const start = putUdpHeaders(b, at, end, this.#senderOf(id, from), face);
    this.#receive(b, start, end);
  }

  #senderOf(id: number, from: Endpoint): Endpoint {
    const sender = this.#senders.get(id)?.get(from.port);
    const local = sender === undefined ? undefined : this.#locals.get(id);
    if (sender === undefined || local === undefined) return from;
    const length = local.address.length;
    return equal(local.address, 0, from.address, 0, length) ? sender : from;
  }

  #refused(): void {
    this.counters.sent -= 1;
    this.counters.drop('refused');
  }
}
