/** A hand-made TEP-C on one real connection: it says what it likes, when it likes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { FrameBuffer } from '../../framing/frame-buffer.ts';
import { innerIp } from '../../framing/inner-ip/inner-ip.ts';
import { systemRandom } from '../../io/random.ts';
import type { Endpoint } from '../../wire/address.ts';
import { writeUdpPacket } from '../../wire/build.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { ClientAuth, type SignedRequest } from '../../wire/stun/client-auth.ts';
import { decode, find, type StunMessage } from '../../wire/stun/message.ts';
import { METHODS } from '../../wire/stun/registry.ts';
import type { Service } from './service.ts';

export const OPEN: Attribute = { type: 'TEP-TUNNEL', value: new Uint8Array(0) };

export class Raw {
  readonly socket: Socket;
  readonly #auth: ClientAuth;
  readonly #frames = new FrameBuffer(innerIp);
  readonly #answers: Buffer[] = [];
  #arrived: () => void = () => {};
  /** The last request, as it went out. */
  last: Uint8Array = new Uint8Array(0);

  constructor(socket: Socket, name: string, password: string) {
    this.socket = socket;
    const credentials = { name, password };
    this.#auth = new ClientAuth({ mechanism: 'long-term', credentials, reliable: true });
    socket.on('data', (chunk) => {
      this.#frames.append(chunk, 0, chunk.length);
      while (this.#frames.next()) {
        const { bytes, start, end } = this.#frames;
        this.#answers.push(Buffer.from(bytes.subarray(start, end)));
      }
      this.#arrived();
    });
  }

  static async open(
    t: ExecutionContext,
    { at }: Service,
    name = 'alice',
    password = 'a password for tests only',
  ): Promise<Raw> {
    const socket = connect(at.port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return new Raw(socket, name, password);
  }

  async ask(...attributes: readonly Attribute[]): Promise<StunMessage> {
    const parts = { class: 'request', method: METHODS.BINDING, attributes } as const;
    let request = this.#auth.request({ ...parts, transactionId: systemRandom(12) });
    for (;;) {
      const octets = await this.#exchange(request);
      const answer = read(octets);
      const verdict = this.#auth.digest(request, answer, octets, 0);
      if (verdict.type !== 'retry') return answer;
      request = this.#auth.retry(request, systemRandom(12));
    }
  }

  async send(octets: Uint8Array): Promise<StunMessage> {
    this.socket.write(octets);
    return read(await this.#answer());
  }

  packet(source: Endpoint, destination: Endpoint): void {
    const out = new Uint8Array(64);
    this.socket.write(out.slice(0, writeUdpPacket(out, 0, source, destination, out, 0, 8)));
  }

  #exchange(request: SignedRequest): Promise<Buffer> {
    this.last = request.octets;
    this.socket.write(request.octets);
    return this.#answer();
  }

  async #answer(): Promise<Buffer> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }
}

function read(octets: Buffer): StunMessage {
  const message = decode(octets, 0, octets.length);
  if (typeof message === 'number') throw new Error('not STUN');
  return message;
}

export function codeOf(message: StunMessage): number {
  return find(message, 'ERROR-CODE')?.code ?? 0;
}
