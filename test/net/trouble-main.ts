/**
 * `node trouble-main.js listen PORT`: says what it hears.
 * `node trouble-main.js sent|came ADDRESS PORT COUNT`: sends packets there, and prints what a tunnel end is told of the
 * connection: `troubled` at the first sign that something sent was lost, or something that was to come; `clean` when
 * there was none in all of them. Then its congestion control, and that of the system here.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { CarrierSampler } from '../../io/carrier-sampler.ts';
import { now } from '../../io/clock.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { libc } from '../../io/kernel/libc.ts';
import { descriptorOf, setTcpOptions } from '../../io/tcp-options.ts';

const PACKET_MS = 5;
const PACKET = Buffer.alloc(200);
const CONN = 1;
const IPPROTO_TCP = 6;
const TCP_CONGESTION = 13;

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
  setTcpOptions(stream, { userTimeoutMs: 0 });
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
    if (isTroubled || left === 0) end(isTroubled ? 'troubled' : 'clean', congestionOf(stream));
    left -= 1;
    stream.write(PACKET);
    sampler.wrote(CONN, sampled, now());
  }, PACKET_MS);
}

function end(verdict: 'troubled' | 'clean', congestion: string): void {
  const ofSystem = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8');
  process.stdout.write(`${verdict} ${congestion} ${ofSystem}`);
  process.exit();
}

function congestionOf(stream: Duplex): string {
  const name = new Uint8Array(16);
  const calls = libc();
  if (!isIoFault(calls)) calls.getOption(descriptorOf(stream), IPPROTO_TCP, TCP_CONGESTION, name);
  return Buffer.from(name.subarray(0, name.indexOf(0))).toString();
}
