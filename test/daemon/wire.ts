/** A TCP relay between two agents that can be cut, as a network can. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { hostOf } from '../../io/endpoints.ts';
import { listenTcp, type TcpListener } from '../../io/tcp.ts';
import type { Endpoint } from '../../wire/address.ts';
import { must, type Target } from './pair.ts';

export class CuttableWire {
  readonly target: Target;
  /** Connections that were made through it. */
  count = 0;
  readonly #listener: TcpListener;
  readonly #sockets: Set<Socket>;

  constructor(listener: TcpListener, sockets: Set<Socket>) {
    this.#listener = listener;
    this.#sockets = sockets;
    this.target = { host: hostOf(listener.local), port: listener.local.port };
  }

  /** Resets every connection, both ways. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** The client's end of every connection reads nothing any more. */
  stall(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async close(): Promise<void> {
    this.cut();
    await this.#listener.close();
  }
}

/** `prologue`: what happens on each connection to the server before the client's octets pass. */
export async function openWire(
  server: Endpoint,
  prologue: (far: Socket) => Promise<void> = async () => {},
): Promise<CuttableWire> {
  const sockets = new Set<Socket>();
  const listener = await listenTcp({ host: hostOf(server), port: 0 }, (near) => {
    wire.count += 1;
    void join(near, server, sockets, prologue);
  });
  const wire = new CuttableWire(must(listener), sockets);
  return wire;
}

async function join(
  near: Socket,
  server: Endpoint,
  sockets: Set<Socket>,
  prologue: (far: Socket) => Promise<void>,
): Promise<void> {
  hold(near, sockets);
  const far = connect({
    host: hostOf(server),
    port: server.port,
    noDelay: true,
    allowHalfOpen: true,
  });
  hold(far, sockets);
  far.once('error', () => near.destroy());
  await once(far, 'connect');
  await prologue(far);
  near.pipe(far);
  far.pipe(near);
  near.once('close', () => far.destroy());
  far.once('close', () => near.destroy());
}

function hold(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.on('error', () => {});
  socket.once('close', () => sockets.delete(socket));
}
