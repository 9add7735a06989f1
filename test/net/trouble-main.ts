/**
 * `node trouble-main.js listen PORT`: takes what comes and says nothing.
 * `node trouble-main.js write ADDRESS PORT COUNT`: sends packets there, and prints what a tunnel end is told of the
 * connection: `troubled` at the first sign of a loss, `clean` when there was none in all of them.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { CarrierSampler } from '../../io/carrier-sampler.ts';
import { now } from '../../io/clock.ts';

const PACKET_MS = 5;
const PACKET = Buffer.alloc(200);
const CONN = 1;

const [verb, ...words] = process.argv.slice(2);
if (verb === 'listen') await listen(Number(words[0]));
else await write(words[0] ?? '', Number(words[1]), Number(words[2]));

async function listen(port: number): Promise<void> {
  await once(createServer((socket) => socket.resume()).listen(port, '::'), 'listening');
  process.stdout.write('ready\n');
}

async function write(address: string, port: number, count: number): Promise<void> {
  const stream = connect(port, address);
  await once(stream, 'connect');
  let isTroubled = false;
  const sampler = new CarrierSampler({
    carrier: (_conn, state) => {
      isTroubled ||= state.isTroubled;
    },
  });
  const sampled = { stream, busySinceMs: 0 };
  let left = count;
  setInterval(() => {
    sampler.sweep(now());
    if (isTroubled || left === 0) end(isTroubled ? 'troubled' : 'clean');
    left -= 1;
    stream.write(PACKET);
    sampler.wrote(CONN, sampled, now());
  }, PACKET_MS);
}

function end(verdict: 'troubled' | 'clean'): void {
  process.stdout.write(`${verdict}\n`);
  process.exit();
}
