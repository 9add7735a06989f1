/**
 * One bound UDP socket that speaks in endpoints. The system's addresses are texts; a media stream has
 * one sender and one destination, so the last of each is remembered and converted once.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Endpoint, type Family, formatAddress } from '../wire/address.ts';
import { equal, octetsOf } from '../wire/bytes.ts';
import { endpointOf, hostOf } from './endpoints.ts';
import { type IoFault, ioFault } from './io-fault.ts';

/** The payload is the receiver's. */
export type DatagramReceiver = (payload: Uint8Array, from: Endpoint) => void;

const NOWHERE = new Uint8Array(0);

/** A socket that this process was given when it was started, and its family. */
export interface GivenSocket {
  readonly fd: number;
  readonly family: Family;
}

/**
 * Opens a socket on an address of this machine; port 0 takes any. `refused` is called for each datagram
 * that the system did not send (no route, too long), be it later.
 */
export async function openUdp(
  at: Endpoint | GivenSocket,
  receive: DatagramReceiver,
  refused: () => void = () => {},
): Promise<UdpSocket | IoFault> {
  const socket = createSocket({
    type: at.family === 4 ? 'udp4' : 'udp6',
    ipv6Only: at.family === 6,
    // Destinations are always literal addresses: answered at once, so that sending is one call.
    lookup: (host, _options, answer) => answer(null, host, at.family),
  });
  try {
    const listening = once(socket, 'listening');
    socket.bind(
      'fd' in at ? { fd: at.fd } : { address: hostOf(at), port: at.port, exclusive: true },
    );
    await listening;
  } catch (error) {
    socket.close();
    if (error instanceof Error) return ioFault(error);
    throw error;
  }
  return new UdpSocket(socket, receive, refused);
}

export class UdpSocket {
  readonly local: Endpoint;
  readonly #socket: Socket;
  readonly #refused: () => void;
  readonly #addressLength: number;
  #open = true;
  #sender: Endpoint | undefined;
  #senderText = '';
  #destination: Uint8Array = NOWHERE;
  #destinationText = '';

  constructor(socket: Socket, receive: DatagramReceiver, refused: () => void) {
    const { address, port } = socket.address();
    this.local = endpointOf(address, port);
    this.#addressLength = this.local.address.length;
    this.#socket = socket;
    this.#refused = refused;
    socket.on('message', (payload, from) => {
      receive(payload, this.#senderOf(from.address, from.port));
    });
    socket.on('error', refused);
  }

  /** Sends the payload [from, to) of `b` to the address at `addressAt`. Octets are copied. */
  send(
    b: Uint8Array,
    from: number,
    to: number,
    address: Uint8Array,
    addressAt: number,
    port: number,
  ): void {
    if (!this.#open) return;
    // Anyone can send from port 0 (RFC 768: no answer wanted); Node throws when asked to answer.
    if (port === 0) {
      this.#refused();
      return;
    }
    // A copy: the system takes it at once as a rule, later when its buffer is full.
    const payload = Buffer.from(b.subarray(from, to));
    this.#socket.send(payload, port, this.#textOf(address, addressAt));
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #senderOf(text: string, port: number): Endpoint {
    const last = this.#sender;
    if (last !== undefined && last.port === port && this.#senderText === text) return last;
    const sender = endpointOf(text, port);
    this.#sender = sender;
    this.#senderText = text;
    return sender;
  }

  #textOf(b: Uint8Array, at: number): string {
    const n = this.#addressLength;
    if (this.#destination.length === n && equal(b, at, this.#destination, 0, n)) {
      return this.#destinationText;
    }
    this.#destination = octetsOf(b, at, at + n);
    this.#destinationText = formatAddress(b, at, n);
    return this.#destinationText;
  }
}
