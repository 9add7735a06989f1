/** A media gateway that answers commands as a test tells it to, by UDP. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { ExecutionContext } from 'ava';
import { readDatagram, stringOf } from '../../../framing/ng/message.ts';
import { command, type Dictionary } from './proxies.ts';

export class Gateway {
  /** Everything that came, but for what TEP-S asks of its own. */
  readonly heard: Buffer[] = [];
  /** Commands by name → the answer; nothing for those that get none. */
  answers: Record<string, Dictionary> = { ping: { result: 'pong' }, list: { result: 'ok' } };
  readonly #socket: Socket;
  #last: RemoteInfo | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(t: ExecutionContext): Promise<Gateway> {
    const socket = createSocket('udp4');
    const gateway = new Gateway(socket);
    socket.bind(0, '127.0.0.1').on('message', (octets, from) => gateway.#hear(octets, from));
    await once(socket, 'listening');
    t.teardown(() => socket.close());
    return gateway;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Octets to whoever spoke last. */
  say(octets: Uint8Array): void {
    this.#socket.send(octets, this.#last?.port, this.#last?.address);
  }

  #hear(octets: Buffer, from: RemoteInfo): void {
    const message = readDatagram(octets, 0, octets.length);
    const name = typeof message === 'number' ? undefined : stringOf(message, 'command');
    if (name !== 'ping' && name !== 'list') {
      this.heard.push(octets);
      this.#last = from;
    }
    const answer = name === undefined ? undefined : this.answers[name];
    if (typeof message === 'number' || answer === undefined) return;
    this.#socket.send(command(message.cookie, answer), from.port, from.address);
  }
}
