/**
 * The ng protocol by TCP (rtpengine `listen-tcp-ng`): to each connection of a proxy belongs one to the
 * media gateway, and either ends with the other. A stream that is not of this protocol ends too.
 *
 * Memory: MAX_PEERS connections with a message each way (framing/ng/stream.ts) and what the slower end
 * has not taken yet: the faster one waits.
 */
import { connect, type Socket } from 'node:net';
import { NgStream } from '../../framing/ng/stream.ts';
import { hostOf } from '../../io/endpoints.ts';
import { type IoFault, isIoFault } from '../../io/io-fault.ts';
import { listenTcp, STREAM, type TcpListener } from '../../io/tcp.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import type { Door, DoorParts } from './door.ts';

const MAX_PEERS = 512;

export class TcpDoor implements Door {
  readonly #parts: DoorParts;
  readonly #sockets = new Map<Socket, Socket>();
  #listener: TcpListener | undefined;
  /** So that a port that is used again is somebody else. */
  #count = 0;

  private constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  static async open(parts: DoorParts): Promise<TcpDoor | IoFault> {
    const door = new TcpDoor(parts);
    const { listen } = parts;
    const at = { host: hostOf(listen), port: listen.port };
    const listener = await listenTcp(at, (socket, peer) => door.#accept(socket, peer));
    if (isIoFault(listener)) return listener;
    door.#listener = listener;
    return door;
  }

  get local(): Endpoint {
    return this.#listener?.local ?? this.#parts.listen;
  }

  get peers(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    const closed = this.#listener?.close();
    for (const [near, far] of this.#sockets) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  #accept(near: Socket, peer: Endpoint): void {
    if (this.#sockets.size >= MAX_PEERS) {
      this.#parts.fault('too-many-peers');
      near.destroy();
      return;
    }
    this.#count += 1;
    const name = `tcp ${formatEndpoint(peer)} ${this.#count}`;
    const { gateway } = this.#parts;
    const far = connect({ ...STREAM, host: hostOf(gateway), port: gateway.port });
    this.#sockets.set(near, far);
    near.once('close', () => this.#sockets.delete(near));
    this.#join(near, far, (message) => {
      this.#parts.command(name, message);
      return message;
    });
    this.#join(far, near, (message) => this.#parts.answer(name, message));
    far.once('error', () => this.#parts.fault('no-connection'));
  }

  /** Messages of one end go to the other; so does its end. */
  #join(from: Socket, to: Socket, pass: (message: Uint8Array) => Uint8Array): void {
    const stream = new NgStream();
    from.on('data', (chunk) => {
      const messages = stream.push(chunk);
      if (typeof messages === 'number') {
        this.#parts.fault(messages);
        from.destroy();
        return;
      }
      const isTaken = messages.map((message) => to.write(pass(message))).every((taken) => taken);
      if (!isTaken) from.pause();
    });
    to.on('drain', () => from.resume());
    from.once('end', () => to.end());
    // A reset shows as an error and then a close; the close is what counts.
    from.on('error', () => {}).once('close', () => to.destroy());
  }
}
