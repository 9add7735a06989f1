/** Something that listens on loopback and does with each connection what the test says. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

export const HOST = '127.0.0.1';

export interface Listening {
  readonly port: number;
  /** In the order in which they came. */
  readonly peers: Peer[];
  /** The request heads of all of them. */
  readonly heads: string[];
}

/** One connection, seen from the side that listens. */
export class Peer {
  readonly socket: Socket;
  readonly #heads: string[];
  /** Received and not yet asked for. */
  #waiting: Buffer = Buffer.alloc(0);
  #arrived: () => void = () => {};
  #isOver = false;

  constructor(socket: Socket, heads: string[]) {
    this.socket = socket;
    this.#heads = heads;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#waiting = Buffer.concat([this.#waiting, chunk]);
      this.#arrived();
    });
    socket.on('close', () => {
      this.#isOver = true;
      this.#arrived();
    });
  }

  /** What came and was not asked for. */
  get waiting(): string {
    return this.#waiting.toString('latin1');
  }

  /** The next request head, with its empty line; what there is when the peer closes before. */
  async head(): Promise<string> {
    for (;;) {
      const end = this.#waiting.indexOf('\r\n\r\n');
      if (end >= 0 || this.#isOver) {
        const head = this.#take(end < 0 ? this.#waiting.length : end + 4);
        this.#heads.push(head);
        return head;
      }
      await this.#more();
    }
  }

  /** The next `length` octets. */
  async octets(length: number): Promise<string> {
    while (this.#waiting.length < length && !this.#isOver) await this.#more();
    return this.#take(length);
  }

  say(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** From here on it is joined to a server on this machine, as a proxy does. */
  async join(port: number): Promise<void> {
    const far = connect({ host: HOST, port, noDelay: true, allowHalfOpen: true });
    far.on('error', () => this.socket.destroy());
    this.socket.once('close', () => far.destroy());
    await once(far, 'connect');
    far.write(this.#waiting);
    this.socket.removeAllListeners('data').pipe(far).pipe(this.socket);
  }

  #take(length: number): string {
    const taken = this.#waiting.toString('latin1', 0, length);
    this.#waiting = this.#waiting.subarray(length);
    return taken;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }
}

/** `act` gets each connection and its number, from 0. Everything is closed with the test. */
export async function listen(
  t: ExecutionContext,
  act: (peer: Peer, count: number) => unknown = () => {},
  where = { host: HOST, port: 0 },
): Promise<Listening> {
  const heads: string[] = [];
  const peers: Peer[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const peer = new Peer(socket, heads);
    void act(peer, peers.push(peer) - 1);
  });
  server.listen(where.port, where.host);
  await once(server, 'listening');
  t.teardown(() => {
    for (const { socket } of peers) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, heads, peers };
}

/** A port of this machine on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
