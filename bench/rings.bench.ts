/**
 * The packet port `rings` by itself, in a network namespace of its own: processor time of this process for
 * a packet of 172 octets of RTP each way, at 50,000 a second; what the way through the port and back adds to
 * a round trip at 50 a second; what it costs when nothing comes. Needs root; without it there is no figure.
 */
import { type ChildProcess, execFileSync, fork, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isIoFault } from '../io/io-fault.ts';
import { openRings, type Rings } from '../io/rings/rings.ts';
import { writeUdpPacket } from '../wire/build.ts';
import { median, QUICK, report } from './harness.ts';

const RATE = 50_000;
const SECONDS = QUICK ? 1 : 4;
const RUNS = QUICK ? 1 : 3;
const ASKED = QUICK ? 25 : 250;
const IDLE_MS = QUICK ? 1_000 : 10_000;
const PAYLOAD_LEN = 172;

const PHONE = { family: 4, address: Uint8Array.of(10, 1, 1, 1), port: 4_000 } as const;
const GATEWAY = { family: 4, address: Uint8Array.of(203, 0, 113, 9), port: 30_000 } as const;
const PREFIX = { family: 4, address: Uint8Array.of(203, 0, 113, 0), length: 24 } as const;

const INSIDE = 'TEP_BENCH_INSIDE';

if (process.env[INSIDE] === undefined) outside();
else await inside();

/** Again, in a namespace that ends with the process. */
function outside(): void {
  if (process.getuid?.() !== 0) {
    process.stderr.write('rings: no figure without root\n');
    return;
  }
  const args = ['-n', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const env = { ...process.env, [INSIDE]: '1' };
  const { status } = spawnSync('unshare', args, { stdio: 'inherit', env });
  process.exitCode = status ?? 1;
}

async function inside(): Promise<void> {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  execFileSync('ip', ['addr', 'add', '10.1.1.1/32', 'dev', 'lo']);
  const port = await openRings({
    routing: { kind: 'divert', to: [{ prefix: PREFIX, protocol: 17 }], except: [] },
  });
  if (isIoFault(port)) throw new Error(port.text);
  let echoes = false;
  port.start((b, at, end) => {
    if (!echoes) return;
    turnRound(b, at);
    port.send(b, at, end);
    port.flush();
  });
  report('rings: a packet in, 50,000 a second', undefined, {
    nsPerOp: await costs(() => flooded(port)),
  });
  report('rings: a packet out, 50,000 a second', undefined, {
    nsPerOp: await costs(() => sending(port)),
  });
  const bare = await askedOfSocket();
  echoes = true;
  const through = await asked('203.0.113.9', GATEWAY.port);
  report(
    'rings: added to a round trip, 50 a second',
    { maxP50Ms: 0.3 },
    {
      p50Ms: Number(Math.max(0, median(through) - median(bare)).toPrecision(3)),
    },
  );
  report('rings: nothing comes', { maxIdlePercent: 0.2 }, { idlePercent: await idle() });
  await port.close();
}

/** Nanoseconds a packet: the median of some runs, each of which tells its packets. */
async function costs(one: () => Promise<number>): Promise<number> {
  const runs: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const before = process.cpuUsage();
    const packets = await one();
    const { user, system } = process.cpuUsage(before);
    runs.push(((user + system) * 1_000) / packets);
  }
  return Math.round(median(runs));
}

async function flooded(port: Rings): Promise<number> {
  const before = port.counters.received;
  await once(app('flood', '203.0.113.9', '30000', String(RATE), String(SECONDS)), 'exit');
  return port.counters.received - before;
}

async function sending(port: Rings): Promise<number> {
  const sink = app('sink', String(PHONE.port));
  await once(sink, 'message');
  const before = port.counters.sent;
  const packet = new Uint8Array(256);
  const n = writeUdpPacket(packet, 0, GATEWAY, PHONE, new Uint8Array(PAYLOAD_LEN), 0, PAYLOAD_LEN);
  const start = performance.now();
  for (let sent = 0; sent < RATE * SECONDS; ) {
    const due = Math.min(RATE * SECONDS, ((performance.now() - start) * RATE) / 1_000);
    for (; sent < due; sent++) port.send(packet, 0, n);
    port.flush();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  sink.kill();
  await once(sink, 'exit');
  return port.counters.sent - before;
}

/** Round trips to this process by an ordinary socket, without the port. */
async function askedOfSocket(): Promise<number[]> {
  const echo = createSocket('udp4');
  echo.on('message', (payload, from) => echo.send(payload, from.port, from.address));
  echo.bind(GATEWAY.port, '10.1.1.1');
  await once(echo, 'listening');
  const trips = await asked('10.1.1.1', GATEWAY.port);
  echo.close();
  return trips;
}

async function asked(address: string, port: number): Promise<number[]> {
  const [trips] = await once(app('ask', address, String(port), String(ASKED)), 'message');
  return trips;
}

async function idle(): Promise<number> {
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const { user, system } = process.cpuUsage(before);
  return Number(((user + system) / 10 / IDLE_MS).toPrecision(2));
}

function app(...words: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL('rings-app.js', import.meta.url)), words, { execArgv: [] });
}

/** Back to where it came from: addresses and ports swapped, so no sum changes. */
function turnRound(b: Uint8Array, at: number): void {
  const view = new DataView(b.buffer, b.byteOffset + at);
  const [source, destination] = [view.getUint32(12), view.getUint32(16)];
  const [from, to] = [view.getUint16(20), view.getUint16(22)];
  view.setUint32(12, destination);
  view.setUint32(16, source);
  view.setUint16(20, to);
  view.setUint16(22, from);
}
