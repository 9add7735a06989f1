/**
 * `node probe-main.js udp|tcp ADDRESS PORT [WAIT_MS]`: can this be reached? Prints `reached` or `closed`. Asks
 * again and again, for a first packet may be lost where neighbours are still unknown.
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

/** Where no answer is expected; and between questions. */
const CLOSED_MS = '1200';
const AGAIN_MS = 200;

const [protocol = '', address = '', port = '', waitMs = CLOSED_MS] = process.argv.slice(2);

function end(verdict: 'reached' | 'closed'): void {
  process.stdout.write(`${verdict}\n`);
  process.exit();
}

function askTcp(): void {
  // A refusal is no last word: another question may pass.
  connect(Number(port), address)
    .on('connect', () => end('reached'))
    .on('error', () => {});
}

function udpAsker(): () => void {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => {});
  socket.on('message', () => end('reached'));
  return () => socket.send('anyone?', Number(port), address, () => {});
}

const ask = protocol === 'tcp' ? askTcp : udpAsker();
ask();
setInterval(ask, AGAIN_MS);
setTimeout(() => end('closed'), Number(waitMs));
