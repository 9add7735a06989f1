/** `node flood-main.js ADDRESS PORT COUNT`: so many datagrams of 1,000 octets, as fast as they go. */
import { Buffer } from 'node:buffer';
import { createSocket } from 'node:dgram';

const [address = '', port, count] = process.argv.slice(2);
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
const payload = Buffer.alloc(1_000, 'f');
for (let i = 0; i < Number(count); i++) {
  await new Promise((sent) => socket.send(payload, Number(port), address, sent));
}
socket.close();
