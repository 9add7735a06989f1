/** A wire between the agents through which so many octets a millisecond get to the server. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { Endpoint } from '../../wire/address.ts';
import type { Target } from './pair.ts';

const TICK_MS = 5;

export interface SlowWire {
  readonly target: Target;
}

export async function openSlowWire(server: Endpoint, octetsPerMs: number): Promise<SlowWire> {
  const host = server.address.join('.');
  const listener = createServer((near) => {
    const far = connect(server.port, host);
    far.pipe(near);
    // What was not read yet waits in the buffers of the system, as before a narrow link.
    let room = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      room = Math.min(room + (now - last) * octetsPerMs, TICK_MS * 4 * octetsPerMs);
      last = now;
      const octets = near.read(Math.min(Math.floor(room), near.readableLength)) as Buffer | null;
      if (octets === null) return;
      room -= octets.length;
      far.write(octets);
    }, TICK_MS);
    near.once('close', () => {
      clearInterval(timer);
      far.destroy();
    });
    near.on('error', () => near.destroy());
    far.on('error', () => near.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return { target: { host: '127.0.0.1', port } };
}
