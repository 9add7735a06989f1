/** `node ears-main.js PORT`: prints every UDP datagram that arrives there, as text, with its sender. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const socket = createSocket('udp6');
socket.on('message', (payload, { address, port }) => {
  process.stdout.write(`heard ${payload.toString('latin1')} from ${address} ${port}\n`);
});
socket.bind(Number(process.argv[2]), '::');
await once(socket, 'listening');
process.stdout.write('ready\n');
