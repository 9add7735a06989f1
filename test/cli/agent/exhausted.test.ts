/** The server has no descriptors left: its calls go on, and when there are some again, so does everything. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { scratch } from '../../config/scratch.ts';
import { peerOutput, peerTest } from '../../peers.ts';
import { begin } from './scene.ts';

const CONNECTIONS = 60;
/** So many more descriptors than there are may be opened. */
const LEFT = 8;

peerTest('prlimit', '[G-22] connections until no descriptor is left: a call goes on', async (t) => {
  const { server, say, port } = await begin(t, scratch(t));
  await say('before');
  const pid = String(server.child.pid);
  const limit = readdirSync(`/proc/${pid}/fd`).length + LEFT;
  await peerOutput('prlimit', [`--pid=${pid}`, `--nofile=${limit}:${limit}`]);
  const sockets = Array.from({ length: CONNECTIONS }, () => dial(t, port));
  // The system takes those that the server has no descriptor for; it closes them.
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await say('while there is none');
  for (const socket of sockets) socket.destroy();
  t.regex(await askByHttp(t, port), /^HTTP\/1\.1 404/);
  await say('afterwards');
});

function dial(t: ExecutionContext, port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  return socket;
}

/** Again and again: that the others are gone has to be noticed first. */
async function askByHttp(t: ExecutionContext, port: number): Promise<string> {
  for (;;) {
    const socket = dial(t, port).setEncoding('latin1');
    socket.write('GET / HTTP/1.0\r\n\r\n');
    const answer = await new Promise<string>((resolve) => {
      socket.once('data', (text) => resolve(String(text)));
      socket.once('close', () => resolve(''));
    });
    if (answer !== '') return answer;
  }
}
