/**
 * `node rings-talk-main.js udp|tcp CALLER NAME CALLEE LENGTH COUNT`: an echo server on the address CALLEE,
 * and a program on CALLER that calls it by NAME: COUNT payloads of LENGTH octets, one after the other. By
 * UDP each is answered before the next; by TCP all are one stream. Prints `N octets came back` when the
 * octets are the same, and ends.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const PORT = 7001;
const [protocol, caller = '', name = '', callee = '', length = '', count = ''] =
  process.argv.slice(2);
const payload = randomBytes(Number(length));
const back = protocol === 'tcp' ? await byTcp() : await byUdp();
process.stdout.write(`${back} octets came back\n`);
process.exit(0);

async function byUdp(): Promise<number> {
  const type = callee.includes(':') ? 'udp6' : 'udp4';
  const server = createSocket(type);
  server.on('message', (b, from) => server.send(b, from.port, from.address));
  server.bind(PORT, callee);
  await once(server, 'listening');
  const client = createSocket(type);
  client.bind(0, caller);
  let octets = 0;
  for (let i = 0; i < Number(count); i++) {
    client.send(payload, PORT, name);
    const [b] = await once(client, 'message');
    if (!payload.equals(b)) throw new Error('other octets came back');
    octets += b.length;
  }
  return octets;
}

async function byTcp(): Promise<number> {
  const server = createServer((socket) => socket.pipe(socket));
  server.listen(PORT, callee);
  await once(server, 'listening');
  const client = connect({ host: name, port: PORT, localAddress: caller });
  const all = Buffer.concat(Array.from({ length: Number(count) }, () => payload));
  client.end(all);
  const parts: Buffer[] = [];
  for await (const part of client) parts.push(part);
  if (!all.equals(Buffer.concat(parts))) throw new Error('other octets came back');
  return all.length;
}
