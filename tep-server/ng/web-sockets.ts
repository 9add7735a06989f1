/**
 * The ng protocol by WebSocket (rtpengine `listen-http`, subprotocol ng.rtpengine.com): to each
 * connection of a proxy belongs one to the media gateway, message by message, and either ends with the
 * other. The package `ws` is imported here and nowhere else.
 *
 * Memory: of each connection one message each way, FIRST_MESSAGES while the gateway is being connected,
 * and MAX_WAITING_LEN that an end has not taken: one that is slower is closed.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { DoorParts } from './door.ts';
import { MAX_BODY_LEN } from './limits.ts';

const SUBPROTOCOL = 'ng.rtpengine.com';
/** What makes a URL of the gateway when it stands behind its origin: `*` and `http://other/` would be none. */
const PATH = /^\/[^#]*$/;
const FIRST_MESSAGES = 16;
const MAX_WAITING_LEN = 1_048_576;
/** The gateway is as near as a process of this host. */
const HANDSHAKE_MS = 5_000;

export class WebSockets {
  readonly #parts: DoorParts;
  readonly #gateway: string;
  readonly #server: WebSocketServer;
  readonly #far = new Set<WebSocket>();
  #count = 0;

  /** `gateway`: the origin, as `ws://127.0.0.1:8080`. */
  constructor(parts: DoorParts, gateway: string) {
    this.#parts = parts;
    this.#gateway = gateway;
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_BODY_LEN,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const offered = request.headers['sec-websocket-protocol'] ?? '';
    const path = request.url ?? '/';
    if (!offered.split(',').some((one) => one.trim() === SUBPROTOCOL) || !PATH.test(path)) {
      this.#parts.fault('web-socket-of-others');
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (near) => this.#join(near, path));
  }

  close(): void {
    for (const socket of [...this.#server.clients, ...this.#far]) socket.terminate();
  }

  #join(near: WebSocket, path: string): void {
    const { command, answer } = this.#parts;
    this.#count += 1;
    const name = `ws ${this.#count}`;
    const far = new WebSocket(`${this.#gateway}${path}`, SUBPROTOCOL, {
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_BODY_LEN,
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    this.#far.add(far);
    const waiting: (readonly [Uint8Array, boolean])[] = [];
    near.on('message', (data, isBinary) => {
      const octets = octetsIn(data);
      command(name, octets);
      if (far.readyState !== WebSocket.CONNECTING) this.#send(far, octets, isBinary);
      else if (waiting.length < FIRST_MESSAGES) waiting.push([octets, isBinary]);
      else this.#parts.fault('peer-opening');
    });
    far.on('open', () => {
      for (const [octets, isBinary] of waiting.splice(0)) this.#send(far, octets, isBinary);
    });
    far.on('message', (data, isBinary) => this.#send(near, answer(name, octetsIn(data)), isBinary));
    far
      .on('error', () => this.#parts.fault('no-connection'))
      .on('close', () => {
        this.#far.delete(far);
        near.terminate();
      });
    near.on('error', () => {}).on('close', () => far.terminate());
  }

  #send(to: WebSocket, octets: Uint8Array, binary: boolean): void {
    if (to.readyState !== WebSocket.OPEN) return;
    to.send(octets, { binary });
    if (to.bufferedAmount <= MAX_WAITING_LEN) return;
    this.#parts.fault('too-slow');
    to.terminate();
  }
}

function octetsIn(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
