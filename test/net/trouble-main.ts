/**
 * `node trouble-main.js listen PORT`: says what it hears.
 * `node trouble-main.js sent|came ADDRESS PORT COUNT`: sends packets there, and prints what a tunnel end is told of the
 * connection: `troubled` at the first sign that something sent was lost, or something that was to come; `clean` when
 * there was none in all of them.
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
else await watch(verb === 'came', words[0] ?? '', Number(words[1]), Number(words[2]));

async function listen(port: number): Promise<void> {
  await once(createServer((socket) => socket.pipe(socket)).listen(port, '::'), 'listening');
  process.stdout.write('ready\n');
}

async function watch(
  ofWhatCame: boolean,
  address: string,
  port: number,
  count: number,
): Promise<void> {
  const stream = connect(port, address).resume();
  await once(stream, 'connect');
  let isTroubled = false;
  const sampler = new CarrierSampler({
    carrier: (_conn, { isTroubled: isSent, outOfOrder = 0 }) => {
      isTroubled ||= ofWhatCame ? outOfOrder > 0 : isSent;
    },
  });
  const sampled = { stream, busySinceMs: 0, askedMs: 0 };
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
