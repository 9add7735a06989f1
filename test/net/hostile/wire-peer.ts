/** A hand-made TEP-C on a real connection: sends what octets it likes, keeps what it has sent. */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FrameBuffer } from '../../../framing/frame-buffer.ts';
import { innerIp } from '../../../framing/inner-ip/inner-ip.ts';
import type { Endpoint } from '../../../wire/address.ts';
import type { Attribute } from '../../../wire/stun/attributes.ts';
import { ClientAuth, type SignedRequest } from '../../../wire/stun/client-auth.ts';
import {
  decode,
  find,
  looksLikeStun,
  type StunMessage,
  type StunParts,
} from '../../../wire/stun/message.ts';
import { METHODS } from '../../../wire/stun/registry.ts';

export interface Login {
  readonly name: string;
  readonly password: string;
}

const MAX_TRIES = 4;

export class WirePeer {
  /** Every octet that it has sent, for who wants to send it again. */
  readonly sent: Uint8Array[] = [];
  readonly #socket: Socket;
  readonly #auth: ClientAuth;
  readonly #frames = new FrameBuffer(innerIp);
  readonly #answers: StunMessage[] = [];
  readonly #raw: Uint8Array[] = [];
  isClosed = false;

  private constructor(socket: Socket, login: Login) {
    this.#socket = socket;
    this.#auth = new ClientAuth({ mechanism: 'long-term', credentials: login, reliable: true });
    socket.on('data', (b) => this.#read(b));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      socket.emit('answer');
    });
  }

  static async connect(host: string, port: number, login: Login): Promise<WirePeer> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    return new WirePeer(socket, login);
  }

  /** A new tunnel; its token, empty when it was refused. */
  async open(): Promise<Uint8Array> {
    const answer = await this.ask([{ type: 'TEP-TUNNEL', value: new Uint8Array(0) }]);
    return (answer && find(answer, 'TEP-TUNNEL')) ?? new Uint8Array(0);
  }

  /** A public address of that family. */
  async bind(family: 4 | 6): Promise<Endpoint | undefined> {
    const answer = await this.ask([
      { type: 'TEP-BINDING', value: { port: 0, flags: 0, protocol: 17 } },
      { type: 'REQUESTED-ADDRESS-FAMILY', value: family },
    ]);
    return answer && find(answer, 'XOR-MAPPED-ADDRESS');
  }

  /** The answer to a request with authentication; undefined when the connection was closed instead. */
  async ask(attributes: readonly Attribute[]): Promise<StunMessage | undefined> {
    let request = this.#auth.request(partsOf(attributes));
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const answer = await this.#exchange(request);
      if (answer === undefined) return undefined;
      const { message, octets } = answer;
      if (this.#auth.digest(request, message, octets, 0).type !== 'retry') return message;
      request = this.#auth.retry(request, randomBytes(12));
    }
    return undefined;
  }

  send(octets: Uint8Array): void {
    this.sent.push(octets);
    if (!this.isClosed) this.#socket.write(octets);
  }

  /** Nothing is taken from the connection any more. */
  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Resolves when the other side has ended it. */
  async closed(): Promise<void> {
    while (!this.isClosed) await once(this.#socket, 'close');
  }

  /** The next message that comes; undefined when the connection ends first. */
  async next(): Promise<{ message: StunMessage; octets: Uint8Array } | undefined> {
    while (this.#answers.length === 0 && !this.isClosed) await once(this.#socket, 'answer');
    const message = this.#answers.shift();
    const octets = this.#raw.shift();
    return message === undefined || octets === undefined ? undefined : { message, octets };
  }

  async #exchange(
    request: SignedRequest,
  ): Promise<{ message: StunMessage; octets: Uint8Array } | undefined> {
    this.send(request.octets);
    return this.next();
  }

  #read(chunk: Uint8Array): void {
    const frames = this.#frames;
    frames.append(chunk, 0, chunk.length);
    while (frames.next()) {
      const { bytes, start, end } = frames;
      if (!looksLikeStun(bytes, start, end)) continue;
      const octets = Buffer.from(bytes.subarray(start, end));
      const message = decode(octets, 0, octets.length);
      if (typeof message === 'number' || message.class === 'indication') continue;
      this.#answers.push(message);
      this.#raw.push(octets);
    }
    this.#socket.emit('answer');
  }
}

export function partsOf(attributes: readonly Attribute[]): StunParts {
  return {
    class: 'request',
    method: METHODS.BINDING,
    transactionId: randomBytes(12),
    attributes,
  };
}

/** Error code of an answer; 0 for success, -1 where there was none. */
export function codeOf(message: StunMessage | undefined): number {
  if (message === undefined) return -1;
  return find(message, 'ERROR-CODE')?.code ?? 0;
}
