import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { writeNow } from '../../io/write-now.ts';
import { TestAuthority } from '../certificates.ts';
import { peerTest } from '../peers.ts';
import { dialled, plain } from './dial/dialled.ts';
import { listen, type Peer } from './dial/listening.ts';
import { clientTls, listenTls } from './dial/tls-server.ts';

const WORDS = Buffer.from('some words');
/** More than the buffers of both ends hold. */
const MUCH = Buffer.alloc(64 << 20);

/** A connection whose peer reads nothing. */
async function connection(t: ExecutionContext) {
  const server = await listen(t);
  const stream = await dialled<Socket>(t, plain(server.port));
  while (server.peers.length === 0) await setImmediate();
  const { socket } = server.peers[0] as Peer;
  return { stream, far: socket.removeAllListeners('data').pause() };
}

test('[G-25] what the system takes is on its way, and the stream knows nothing of it', async (t) => {
  const { stream, far } = await connection(t);
  t.is(writeNow(stream, WORDS), WORDS.length);
  t.is(stream.bytesWritten, 0);
  const [chunk] = (await once(far.resume(), 'data')) as [Buffer];
  t.is(chunk.toString(), WORDS.toString());
});

test('[G-25] a system that is full takes a part, then nothing', async (t) => {
  const { stream } = await connection(t);
  const first = writeNow(stream, MUCH);
  t.true(first > 0 && first < MUCH.length);
  while (writeNow(stream, MUCH) > 0);
  t.is(writeNow(stream, WORDS), 0);
});

test('nothing is written past what waits in the stream, or behind its end', async (t) => {
  const { stream, far } = await connection(t);
  stream.on('error', () => {});
  stream.write(MUCH);
  t.is(writeNow(stream, WORDS), 0);
  far.end();
  t.is(writeNow(far, WORDS), 0);
  far.destroy();
  t.is(writeNow(far, WORDS), 0);
});

peerTest('openssl', 'a stream that is no plain connection takes nothing', async (t) => {
  t.is(writeNow(new PassThrough(), WORDS), 0);
  const authority = await TestAuthority.make();
  t.teardown(() => authority.remove());
  const server = await listenTls(t, await authority.issue());
  const stream = await dialled(t, server.target, { tls: clientTls({ ca: authority.certificate }) });
  t.is(writeNow(stream, WORDS), 0);
});
