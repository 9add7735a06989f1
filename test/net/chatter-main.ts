/**
 * `node chatter-main.js PORT ADDRESS PORT`: from the first port to the other end, a numbered UDP datagram
 * each 20 ms until it is killed. Prints each answer of a mirror: when, number, and the address that the
 * mirror saw; and each error that the system tells.
 */
import { createSocket } from 'node:dgram';

const PERIOD_MS = 20;

const [localPort = '', address = '', port = ''] = process.argv.slice(2);
const type = address.includes(':') ? 'udp6' : 'udp4';
// Another one may have the same port of the other family.
const socket = createSocket({ type, ipv6Only: type === 'udp6' });
let sent = 0;

socket.on('message', (payload) => say(`${Math.round(performance.now())} ${payload}`));
socket.on('error', (error) => say(`error ${error.message}`));
socket.bind(Number(localPort), () => {
  setInterval(() => {
    socket.send(String(sent), Number(port), address, (error) => {
      if (error) say(`error ${error.message}`);
    });
    sent += 1;
  }, PERIOD_MS);
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
