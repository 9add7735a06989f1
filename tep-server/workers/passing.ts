/**
 * A connection goes from one worker to another. A plain one goes as a whole, as a socket of the system,
 * and costs nothing from then on. One in TLS can be read only where its keys are: that worker passes its
 * contents on, over a UNIX socket, with a PROXY header in front that tells whose they are.
 */
import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { encodeProxyHeader } from '../../framing/proxy-protocol.ts';
import type { Endpoint } from '../../wire/address.ts';
import { NarrowPipe } from './narrow-pipe.ts';

/** The socket on which a worker takes over what others decrypt. */
export function takeOverPath(folder: string, index: number): string {
  return join(folder, `worker-${index}`);
}

/**
 * Stops reading from the socket and gives what it has read already, `before` in front. It must be sent
 * in the same turn: Node goes on reading from a socket that waits to be sent, and forgets what it reads.
 */
export function readOut(socket: Socket, before: Uint8Array): Uint8Array {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (handle instanceof Object) {
    const stop: unknown = Reflect.get(handle, 'readStop');
    if (typeof stop === 'function') Reflect.apply(stop, handle, []);
  }
  const rest: unknown = socket.read();
  return rest instanceof Uint8Array ? Buffer.concat([before, rest]) : before;
}

/** What is read before anybody asks for it waits where nobody can drop it (narrow-pipe.ts). */
const NOTHING_AHEAD = { readableHighWaterMark: 1 };

/** Passes the contents of a stream on, both ways, until either side ends. */
export function passOn(stream: Duplex, octets: Uint8Array, peer: Endpoint, path: string): void {
  const far = connect({ path, allowHalfOpen: true, ...NOTHING_AHEAD });
  const end = () => {
    stream.destroy();
    far.destroy();
  };
  stream.once('close', end);
  far.on('error', () => {}).once('close', end);
  far.write(Buffer.concat([encodeProxyHeader(peer, peer), octets]));
  stream.pipe(far);
  new NarrowPipe(far, stream);
}
