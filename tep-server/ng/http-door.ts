/**
 * The ng protocol by HTTP (rtpengine `listen-http`): POST /ng with a message as body, and WebSockets. What
 * else the gateway serves on that port, as its command line, is not passed on.
 *
 * Memory: MAX_PEERS connections, on each one message and its answer.
 */
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { endpointOf, hostOf } from '../../io/endpoints.ts';
import { type IoFault, ioFault } from '../../io/io-fault.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import type { Door, DoorParts } from './door.ts';
import type { NgFault } from './faults.ts';
import { bodyOf } from './http-body.ts';
import { WebSockets } from './web-sockets.ts';

const MAX_PEERS = 512;
const PATH = '/ng';
const TYPE = 'application/x-rtpengine-ng';
/** Status codes below are no answer (RFC 9110 15), and Node refuses to pass some of them on. */
const FIRST_FINAL = 200;
/** Longer than any proxy waits for an answer. */
const ANSWER_MS = 10_000;

export class HttpDoor implements Door {
  readonly #parts: DoorParts;
  readonly #server: Server;
  readonly #webSockets: WebSockets;
  /** Connections to the gateway are kept for the next command. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_PEERS });
  readonly #sockets = new Set<Socket>();

  private constructor(parts: DoorParts) {
    this.#parts = parts;
    this.#webSockets = new WebSockets(parts, `ws://${formatEndpoint(parts.gateway)}`);
    this.#server = createServer({ noDelay: true }, (from, to) => void this.#request(from, to));
    this.#server.maxConnections = MAX_PEERS;
    this.#server.on('upgrade', (from, socket, head) => {
      this.#webSockets.upgrade(from, socket, head);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      // Of one that asked for a WebSocket nobody else hears it; the close is what counts.
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static open(parts: DoorParts): Promise<HttpDoor | IoFault> {
    const door = new HttpDoor(parts);
    const { listen } = parts;
    return new Promise((resolve) => {
      // Later errors concern single connections, which end by themselves.
      door.#server.on('error', (error) => resolve(ioFault(error)));
      door.#server.listen({ host: hostOf(listen), port: listen.port }, () => resolve(door));
    });
  }

  get local(): Endpoint {
    const at = this.#server.address();
    if (at === null || typeof at === 'string') return this.#parts.listen;
    return endpointOf(at.address, at.port);
  }

  get peers(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#webSockets.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    await closed;
  }

  async #request(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const { remoteAddress = '', remotePort = 0 } = from.socket;
    if (from.method !== 'POST' || from.url !== PATH) {
      this.#parts.fault('http-of-others');
      to.writeHead(404).end();
      return;
    }
    const name = `http ${remoteAddress} ${remotePort}`;
    const body = await bodyOf(from);
    if (body === undefined) return this.#refuse(to, 413, 'too-long');
    this.#parts.command(name, body);
    const answered = await this.#ask(body, from.headers['content-type'] ?? TYPE);
    if (answered === undefined) return this.#refuse(to, 502, 'no-connection');
    const { status, type, octets } = answered;
    const told = this.#parts.answer(name, octets);
    to.writeHead(status, { 'content-type': type, 'content-length': told.length }).end(told);
  }

  #refuse(to: ServerResponse, status: number, reason: NgFault): void {
    this.#parts.fault(reason);
    to.writeHead(status, { connection: 'close' }).end();
  }

  #ask(body: Uint8Array, type: string): Promise<Answered | undefined> {
    const { gateway } = this.#parts;
    return new Promise((resolve) => {
      const asked = request({
        ...{ host: hostOf(gateway), port: gateway.port, method: 'POST', path: PATH },
        ...{ agent: this.#agent, signal: AbortSignal.timeout(ANSWER_MS) },
        headers: { 'content-type': type, 'content-length': body.length },
      });
      asked.once('response', async (response) => {
        const octets = await bodyOf(response);
        const { statusCode: status = 0, headers } = response;
        const isAnswer = octets !== undefined && status >= FIRST_FINAL;
        resolve(isAnswer ? { status, type: headers['content-type'] ?? TYPE, octets } : undefined);
      });
      asked.once('error', () => resolve(undefined));
      asked.end(body);
    });
  }
}

interface Answered {
  readonly status: number;
  readonly type: string;
  readonly octets: Uint8Array;
}
