/**
 * TCP connections of the tunnel. TCP_NODELAY always: Nagle's algorithm costs media 40 ms and more.
 * Whatever carries the octets later, TLS or a proxy's tunnel, is a `Duplex` as these sockets are.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../wire/address.ts';
import { endpointOf } from './endpoints.ts';
import { type IoFault, ioFault } from './io-fault.ts';

/**
 * Half open: a peer that has ended its side may still read what waits for it. Whoever has the socket
 * ends it.
 */
export const STREAM = { noDelay: true, allowHalfOpen: true } as const;

export interface TcpListener {
  readonly local: Endpoint;
  /** No new connections; those that there are go on. */
  close(): Promise<void>;
}

/** Where to listen. */
export type TcpListenAt =
  | {
      /** Literal address; `::` listens for both families. */
      readonly host: string;
      /** 0 takes any. */
      readonly port: number;
    }
  /** A listening socket that this process was given when it was started. */
  | { readonly fd: number };

export interface TcpListenOptions {
  /** Nothing is read from the sockets yet: they may go to another process. */
  readonly paused?: boolean;
}

export function listenTcp(
  at: TcpListenAt,
  accept: (socket: Socket, peer: Endpoint) => void,
  { paused = false }: TcpListenOptions = {},
): Promise<TcpListener | IoFault> {
  const server = createServer({ ...STREAM, pauseOnConnect: paused }, (socket) => {
    const { remoteAddress, remotePort } = socket;
    // Both are undefined when the peer is gone again already.
    if (remoteAddress === undefined || remotePort === undefined) socket.destroy();
    else accept(socket, endpointOf(remoteAddress, remotePort));
  });
  return new Promise((resolve) => {
    // Later errors concern single connections, which end by themselves.
    server.on('error', (error) => resolve(ioFault(error)));
    server.listen({ ...at }, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new RangeError('not a TCP port');
      const local = endpointOf(address.address, address.port);
      resolve({ local, close: () => closeServer(server) });
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
