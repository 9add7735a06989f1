/**
 * Many UDP sockets under numbers. By system calls that handle several datagrams at once where the
 * machine lets us (kernel/datagrams.ts), otherwise by Node's own sockets: three times the cost.
 */
import type { Endpoint } from '../wire/address.ts';
import { UDP_HEADERS_LEN } from '../wire/build.ts';
import { type IoFault, isIoFault } from './io-fault.ts';
import { openKernelDatagrams } from './kernel/datagrams.ts';
import { MAX_DATAGRAM_LEN } from './kernel/message-vector.ts';
import { openUdp, type UdpSocket } from './udp-socket.ts';

export interface DatagramEvents {
  /**
   * A datagram for socket `id` in [at, end) of `b`, valid during the call only; it may be changed, and so
   * may UDP_HEADERS_LEN octets before it.
   */
  received(id: number, b: Uint8Array, at: number, end: number, from: Endpoint): void;
  /** A datagram that was taken by `send` and has not been sent, for lack of a route or of room. */
  refused(id: number): void;
}

export interface Datagrams {
  /** Opens socket `id` on an address of this machine; port 0 takes any. Gives the address it has. */
  open(id: number, at: Endpoint): Promise<Endpoint | IoFault>;
  /**
   * Sends the payload [from, to) of `b` to the address at `addressAt`. Octets are copied; the datagram
   * may wait for `flush`.
   */
  send(
    id: number,
    b: Uint8Array,
    from: number,
    to: number,
    address: Uint8Array,
    addressAt: number,
    port: number,
  ): void;
  flush(): void;
  close(id: number): Promise<void>;
  /** Closes all sockets. */
  end(): Promise<void>;
}

export function openDatagrams(events: DatagramEvents): Datagrams {
  const kernel = openKernelDatagrams(events);
  return isIoFault(kernel) ? new NodeDatagrams(events) : kernel;
}

/** Memory: one datagram. */
export class NodeDatagrams implements Datagrams {
  readonly #events: DatagramEvents;
  readonly #in = new Uint8Array(UDP_HEADERS_LEN + MAX_DATAGRAM_LEN);
  readonly #sockets = new Map<number, UdpSocket>();

  constructor(events: DatagramEvents) {
    this.#events = events;
  }

  async open(id: number, at: Endpoint): Promise<Endpoint | IoFault> {
    const socket = await openUdp(
      at,
      (payload, from) => this.#arrived(id, payload, from),
      () => this.#events.refused(id),
    );
    if (isIoFault(socket)) return socket;
    this.#sockets.set(id, socket);
    return socket.local;
  }

  send(
    id: number,
    b: Uint8Array,
    from: number,
    to: number,
    address: Uint8Array,
    addressAt: number,
    port: number,
  ): void {
    this.#sockets.get(id)?.send(b, from, to, address, addressAt, port);
  }

  /** Each datagram is on its way already. */
  flush(): void {}

  async close(id: number): Promise<void> {
    const socket = this.#sockets.get(id);
    this.#sockets.delete(id);
    await socket?.close();
  }

  async end(): Promise<void> {
    await Promise.all([...this.#sockets.keys()].map((id) => this.close(id)));
  }

  #arrived(id: number, payload: Uint8Array, from: Endpoint): void {
    this.#in.set(payload, UDP_HEADERS_LEN);
    const end = UDP_HEADERS_LEN + payload.length;
    this.#events.received(id, this.#in, UDP_HEADERS_LEN, end, from);
  }
}
