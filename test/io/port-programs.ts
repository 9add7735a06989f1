/** A program with a UDP socket, as the world of a packet port (port-suite.ts). */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { ExecutionContext } from 'ava';
import { endpointOf, hostOf } from '../../io/endpoints.ts';
import type { Endpoint } from '../../wire/address.ts';

export interface UdpProgram {
  readonly at: Endpoint;
  /** One after the other, each when the system has taken the one before. */
  send(payloads: readonly Buffer[], to: Endpoint): Promise<void>;
  heard(n: number): Promise<Buffer[]>;
}

export async function openProgram(t: ExecutionContext, host: string): Promise<UdpProgram> {
  const socket = createSocket({
    type: host.includes(':') ? 'udp6' : 'udp4',
    recvBufferSize: 1_000_000,
    sendBufferSize: 1_000_000,
  });
  t.teardown(() => socket.close());
  const heard: Buffer[] = [];
  socket.on('message', (payload) => heard.push(payload));
  socket.bind(0, host);
  await once(socket, 'listening');
  return {
    at: endpointOf(host, socket.address().port),
    send: async (payloads, to) => {
      for (const payload of payloads) {
        await new Promise<void>((resolve, reject) => {
          const sent = (error: Error | null) => (error === null ? resolve() : reject(error));
          socket.send(payload, to.port, hostOf(to), sent);
        });
      }
    },
    heard: async (n) => {
      while (heard.length < n) await once(socket, 'message');
      return heard.slice(0, n);
    },
  };
}
