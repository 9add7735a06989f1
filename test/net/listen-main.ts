/** `node listen-main.js PORT…`: accepts TCP connections on these ports, of both families. */
import { once } from 'node:events';
import { createServer } from 'node:net';

for (const port of process.argv.slice(2)) {
  await once(createServer((socket) => socket.end()).listen(Number(port), '::'), 'listening');
}
process.stdout.write('ready\n');
