/**
 * The ng protocol by UDP. Each proxy, by its address and port, has a socket of its own towards the media
 * gateway: so answers find their way back whatever is in them, in any order, and two proxies may use the
 * same cookies.
 *
 * Memory: MAX_PEERS sockets; the one that was heard longest ago makes room. A datagram that comes while its socket
 * is being opened waits, FIRST_DATAGRAMS of them at most.
 */
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import { openUdp, type UdpSocket } from '../../io/udp-socket.ts';
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../wire/address.ts';
import type { Door, DoorParts } from './door.ts';

/** Each process of a Kamailio has a port. */
const MAX_PEERS = 512;
const FIRST_DATAGRAMS = 16;
/** The most that a datagram holds (IPv4). */
const MAX_PAYLOAD_LEN = 65_507;

interface Peer {
  readonly name: string;
  readonly at: Endpoint;
  socket: UdpSocket | undefined;
  waiting: Uint8Array[];
}

export class UdpDoor implements Door {
  readonly #parts: DoorParts;
  readonly #peers = new Map<string, Peer>();
  #socket: UdpSocket | undefined;

  private constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  static async open(parts: DoorParts): Promise<UdpDoor | IoFault> {
    const door = new UdpDoor(parts);
    const socket = await openUdp(
      parts.listen,
      (payload, from) => door.#command(payload, from),
      () => parts.fault('answer-unsent'),
    );
    if (isIoFault(socket)) return socket;
    door.#socket = socket;
    return door;
  }

  get local(): Endpoint {
    return this.#socket?.local ?? this.#parts.listen;
  }

  get peers(): number {
    return this.#peers.size;
  }

  async close(): Promise<void> {
    const sockets = [this.#socket, ...[...this.#peers.values()].map(({ socket }) => socket)];
    this.#socket = undefined;
    this.#peers.clear();
    await Promise.all(sockets.map((socket) => socket?.close()));
  }

  #command(payload: Uint8Array, from: Endpoint): void {
    const name = `udp ${formatEndpoint(from)}`;
    const peer = this.#peers.get(name) ?? this.#newPeer(name, from);
    // The order of the table is that of use.
    this.#peers.delete(name);
    this.#peers.set(name, peer);
    // Sent before it is read: nothing in it changes, and its answer cannot come before this turn is over.
    if (peer.socket !== undefined) this.#send(peer.socket, payload);
    else if (peer.waiting.length < FIRST_DATAGRAMS) peer.waiting.push(payload);
    else this.#parts.fault('peer-opening');
    this.#parts.command(name, payload);
  }

  #newPeer(name: string, at: Endpoint): Peer {
    const [oldest] = this.#peers.values();
    if (this.#peers.size >= MAX_PEERS && oldest !== undefined) {
      this.#peers.delete(oldest.name);
      void oldest.socket?.close();
      this.#parts.fault('peer-crowded-out');
    }
    const peer: Peer = { name, at, socket: undefined, waiting: [] };
    void this.#connect(peer);
    return peer;
  }

  async #connect(peer: Peer): Promise<void> {
    const { family, address } = this.#parts.gateway;
    const socket = await openUdp(
      { family, address: new Uint8Array(address.length), port: 0 },
      (payload, from) => this.#answer(peer, payload, from),
      () => this.#parts.fault('command-unsent'),
    );
    // Crowded out meanwhile; another one may have its name by now.
    const isKnown = this.#peers.get(peer.name) === peer;
    if (isIoFault(socket)) {
      this.#parts.fault('no-socket');
      if (isKnown) this.#peers.delete(peer.name);
      return;
    }
    if (!isKnown) {
      await socket.close();
      return;
    }
    peer.socket = socket;
    for (const payload of peer.waiting) this.#send(socket, payload);
    peer.waiting = [];
  }

  #send(socket: UdpSocket, payload: Uint8Array): void {
    const { address, port } = this.#parts.gateway;
    socket.send(payload, 0, payload.length, address, 0, port);
  }

  #answer({ name, at }: Peer, payload: Uint8Array, from: Endpoint): void {
    const { gateway } = this.#parts;
    if (!sameEndpoint(from, gateway)) {
      this.#parts.fault('foreign-answer');
      return;
    }
    const told = this.#parts.answer(name, payload);
    const fits = told.length <= MAX_PAYLOAD_LEN;
    if (!fits) this.#parts.fault('marks-too-long');
    const octets = fits ? told : payload;
    this.#socket?.send(octets, 0, octets.length, at.address, 0, at.port);
  }
}
