/** `node mirror-main.js ADDRESS PORT`: answers each UDP datagram with what it held and where it came from. */
import { createSocket } from 'node:dgram';

const [address = '', port = ''] = process.argv.slice(2);
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
socket.on('message', (payload, from) => {
  socket.send(`${payload} ${from.address} ${from.port}`, from.port, from.address);
});
socket.bind(Number(port), address, () => process.stdout.write('ready\n'));
