/** `node echo-main.js ADDRESS PORT [COUNT]`: sends UDP datagrams back to where they came from, on so many ports. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const [address = '', port = '', count = '1'] = process.argv.slice(2);
for (let i = 0; i < Number(count); i++) {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (payload, from) => socket.send(payload, from.port, from.address));
  socket.bind(Number(port) + i, address);
  await once(socket, 'listening');
}
process.stdout.write('ready\n');
