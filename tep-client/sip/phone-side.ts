/**
 * Where phones speak to the sidecar: UDP and TCP at each address. Cuts what comes into messages, answers
 * keep-alives, and knows which connection is whose.
 *
 * Memory: MAX_CONNECTIONS streams of at most 2 × MAX_MESSAGE_LEN received, and MAX_UNSENT to be sent. When there is
 * one more, the one that was silent longest makes room, of those that no phone needs.
 */
import type { Socket } from 'node:net';
import { now } from '../../io/clock.ts';
import { hostOf } from '../../io/endpoints.ts';
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import { listenTcp, type TcpListener } from '../../io/tcp.ts';
import { openUdp, type UdpSocket } from '../../io/udp-socket.ts';
import { type Message, readDatagram } from '../../sip/message.ts';
import type { SipDrop } from '../../sip/sidecar/outputs.ts';
import { PhoneFlows } from '../../sip/sidecar/phone-flows.ts';
import type { Peer } from '../../sip/sidecar/phones.ts';
import { PONG, SipStream } from '../../sip/stream.ts';
import type { Endpoint } from '../../wire/address.ts';
import { FAULTS } from '../../wire/faults.ts';

export const MAX_CONNECTIONS = 64;
const MAX_UNSENT = 1024 * 1024;

export interface PhoneEvents {
  message(message: Message, peer: Peer): void;
  dropped(reason: SipDrop): void;
  /** A connection is gone. */
  left(conn: number): void;
  /** Whether it must not be closed, idle as it is. */
  isNeeded(conn: number): boolean;
}

const UNHEARD: PhoneEvents = { message() {}, dropped() {}, left() {}, isNeeded: () => true };

export class PhoneSide {
  #events: PhoneEvents = UNHEARD;
  readonly #sockets: UdpSocket[] = [];
  readonly #listeners: TcpListener[] = [];
  readonly #connections = new Map<number, Socket>();
  readonly #flows = new PhoneFlows();
  #nextConn = 1;

  private constructor() {}

  /** A fault when one of the addresses is not to be had: then none is open. */
  static async open(at: readonly Endpoint[]): Promise<PhoneSide | IoFault> {
    const side = new PhoneSide();
    for (const address of at) {
      const fault = await side.#listen(address);
      if (fault === undefined) continue;
      await side.close();
      return { ...fault, text: `sip.listen: ${fault.text}` };
    }
    return side;
  }

  /** What comes from now on is told; phones repeat what came before. */
  start(events: PhoneEvents): void {
    this.#events = events;
  }

  /** The addresses that it has, in the order of `open`. */
  get locals(): readonly Endpoint[] {
    return this.#sockets.map(({ local }) => local);
  }

  /** False: the connection is gone, or its phone does not read. */
  send(octets: Uint8Array, { transport, address, conn }: Peer): boolean {
    if (transport === 'UDP') {
      const { address: to, port } = address;
      this.#sockets[conn]?.send(octets, 0, octets.length, to, 0, port);
      return true;
    }
    const socket = this.#connections.get(conn);
    if (socket === undefined || socket.destroyed) return false;
    if (socket.writableLength > MAX_UNSENT) {
      this.#events.dropped('slow-reader');
      return true;
    }
    this.#flows.message(conn, now());
    socket.write(octets);
    return true;
  }

  /** The phone notices that its flow is gone, and registers again (RFC 5626 clause 4.2). */
  end(conn: number): void {
    this.#connections.get(conn)?.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#connections.values()) socket.destroy();
    await Promise.all([...this.#listeners, ...this.#sockets].map((one) => one.close()));
  }

  async #listen(at: Endpoint): Promise<IoFault | undefined> {
    const conn = this.#sockets.length;
    const socket: UdpSocket | IoFault = await openUdp(at, (payload, from) => {
      this.#datagram(payload, { transport: 'UDP', address: from, local: this.#local(conn), conn });
    });
    if (isIoFault(socket)) return socket;
    this.#sockets.push(socket);
    const { local } = socket;
    const listener = await listenTcp({ host: hostOf(local), port: local.port }, (stream, peer) => {
      this.#accept(stream, peer, local);
    });
    if (isIoFault(listener)) return listener;
    this.#listeners.push(listener);
    return undefined;
  }

  #local(conn: number): Endpoint {
    const socket = this.#sockets[conn];
    if (socket === undefined) throw new RangeError('a datagram before its socket');
    return socket.local;
  }

  #datagram(payload: Uint8Array, peer: Peer): void {
    const message = readDatagram(payload, 0, payload.length);
    if (typeof message !== 'number') this.#events.message(message, peer);
    // Line ends alone keep a NAT open.
    else if (message !== FAULTS.SIP_EMPTY) this.#events.dropped('bad-octets');
  }

  #accept(socket: Socket, address: Endpoint, local: Endpoint): void {
    if (this.#flows.size >= MAX_CONNECTIONS && !this.#makeRoom()) {
      this.#events.dropped('too-many-connections');
      socket.destroy();
      return;
    }
    const conn = this.#nextConn;
    this.#nextConn += 1;
    this.#connections.set(conn, socket);
    this.#flows.open(conn, now());
    const peer: Peer = { transport: 'TCP', address, local, conn };
    const stream = new SipStream('pings');
    socket.on('data', (chunk) => this.#input(stream, chunk, socket, peer));
    socket.once('end', () => socket.end());
    // The close that follows is what counts.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#connections.delete(conn);
      this.#flows.close(conn);
      this.#events.left(conn);
    });
  }

  /** False: all of them are needed. */
  #makeRoom(): boolean {
    const spare = this.#flows.spare((conn) => this.#events.isNeeded(conn), now());
    if (spare === undefined) return false;
    this.#events.dropped('idle-connection');
    this.#flows.close(spare);
    this.end(spare);
    return true;
  }

  #input(stream: SipStream, chunk: Uint8Array, socket: Socket, peer: Peer): void {
    const at = now();
    this.#flows.heard(peer.conn, at);
    stream.append(chunk, 0, chunk.length);
    for (let event = stream.next(); event !== undefined; event = stream.next()) {
      if (event.type === 'message') {
        this.#flows.message(peer.conn, at);
        this.#events.message(event.message, peer);
      } else if (event.type === 'ping') {
        socket.write(PONG);
      }
    }
    if (stream.fault === 0) return;
    this.#events.dropped('bad-octets');
    socket.destroy();
  }
}
