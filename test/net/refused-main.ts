/**
 * `node refused-main.js udp|tcp ADDRESS PORT`: sends until the system says that it does not get through;
 * prints the code of that error, or `connected` for TCP that did.
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

const AGAIN_MS = 50;

const [protocol = '', address = '', port = ''] = process.argv.slice(2);

function end(word: string): void {
  process.stdout.write(`${word}\n`);
  process.exit();
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}

if (protocol === 'tcp') {
  connect(Number(port), address)
    .on('connect', () => end('connected'))
    .on('error', (error) => end(codeOf(error)));
} else {
  // Only a connected socket is told of ICMP errors (ip(7)).
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', (error) => end(codeOf(error)));
  socket.connect(Number(port), address, () => {
    const say = () =>
      socket.send('anyone?', (error) => {
        if (error) end(codeOf(error));
      });
    say();
    setInterval(say, AGAIN_MS);
  });
}
