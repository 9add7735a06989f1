/**
 * `node load-main.js SERVER PORT GATEWAY PORT TUNNELS CALLS SECONDS`: so many tunnels from one process, each with
 * a public address, some with a call: 50 packets a second to the gateway, which sends them back. Prints
 * `open`, then when the calls are over a line of JSON, and stays until its standard input says something.
 */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { dial } from '../../../io/dial/dial.ts';
import { DIRECT } from '../../../io/dial/types.ts';
import { ClientAgent } from '../../../tep-client/agent.ts';
import type { Endpoint } from '../../../wire/address.ts';
import { parseAddress } from '../../../wire/address.ts';
import { writeUdpPacket } from '../../../wire/build.ts';
import { PASSWORD, USER } from '../agents.ts';
import { PACKET_LEN, readRtpPacket, rtpPacket } from '../media/rtp-packet.ts';
import { MemoryPort } from './memory-port.ts';

const UDP_HEADERS = 28;
const CONNECT_MS = 30_000;
/** Tunnels that are opened at the same time. */
const BATCH = 20;
const PACKET_MS = 20;
/** Calls that speak together: every tick a part of them. */
const TICK_MS = 5;
const SILENCE_MS = 15_000;
const TICKS = PACKET_MS / TICK_MS;
const FIRST_PORT = 10_000;

interface Line {
  readonly ssrc: number;
  readonly ue: Endpoint;
  /** Every call has a port of its own at the gateway. */
  readonly gateway: Endpoint;
  readonly port: MemoryPort;
  readonly agent: ClientAgent;
  sent: number;
  heard: number;
  /** Packets that were changed, or another line's. */
  strange: number;
}

const [host = '', port, gatewayHost = '', gatewayPort, tunnels, calls, seconds] =
  process.argv.slice(2);
const lines = Array.from({ length: Number(tunnels) }, (_, i) => openLine(i));
for (let i = 0; i < lines.length; i += BATCH) {
  await Promise.all(lines.slice(i, i + BATCH).map(bind));
}
process.stdout.write('open\n');
const talking = lines.slice(0, Number(calls));
await talk(talking, (Number(seconds) * 1_000) / PACKET_MS);
process.stdout.write(`${JSON.stringify(summary(talking))}\n`);
await once(process.stdin, 'data');
await Promise.all(lines.map(({ agent }) => agent.stop()));
process.stdout.write('closed\n');
process.exit();

function openLine(index: number): Line {
  const server = { host, port: Number(port), tls: false };
  const ssrc = index + 1;
  const memory = new MemoryPort((b, _at, end) => arrived(line, b, end));
  const agent = new ClientAgent({
    dial: () => dial(server, DIRECT, CONNECT_MS),
    packets: memory,
    tunnel: {
      auth: { mechanism: 'long-term', credentials: { name: USER, password: PASSWORD } },
    },
  });
  const ue = endpoint('10.0.0.2', FIRST_PORT + index);
  const gateway = endpoint(gatewayHost, Number(gatewayPort) + (index % Number(calls)));
  const line: Line = { ssrc, ue, gateway, port: memory, agent, sent: 0, heard: 0, strange: 0 };
  return line;
}

async function bind({ agent, ue }: Line): Promise<void> {
  const answer = await agent.bind(ue);
  if (answer.type !== 'bound') throw new Error(`${answer.type}: ${answer.reason}`);
}

/** Each call its packets in time, however late the timer is. */
async function talk(talking: readonly Line[], packets: number): Promise<void> {
  const beganMs = performance.now();
  const out = new Uint8Array(UDP_HEADERS + PACKET_LEN);
  while (talking.some(({ sent }) => sent < packets)) {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    const ticks = Math.floor((performance.now() - beganMs) / TICK_MS);
    for (const [i, line] of talking.entries()) {
      const due = Math.min(packets, Math.floor((ticks + (i % TICKS)) / TICKS));
      for (; line.sent < due; line.sent++) {
        const n = writeUdpPacket(
          out,
          0,
          line.ue,
          line.gateway,
          rtpPacket(line.ssrc, line.sent),
          0,
          PACKET_LEN,
        );
        line.port.give(out, 0, n);
      }
    }
  }
  await allHeard(talking);
}

/** Resolves when all is there, or nothing has come for so long that nothing will, on however busy a machine. */
async function allHeard(talking: readonly Line[]): Promise<void> {
  const sum = (of: 'sent' | 'heard') => talking.reduce((n, line) => n + line[of], 0);
  let [heard, sinceMs] = [-1, performance.now()];
  while (sum('heard') < sum('sent') && performance.now() - sinceMs < SILENCE_MS) {
    if (sum('heard') > heard) [heard, sinceMs] = [sum('heard'), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
}

function arrived(line: Line, b: Uint8Array, end: number): void {
  const packet = readRtpPacket(Buffer.from(b.subarray(end - PACKET_LEN, end)));
  if (packet?.ssrc === line.ssrc) line.heard += 1;
  else line.strange += 1;
}

/** `dropped`: by the clients themselves, because it was too late for them. */
function summary(talking: readonly Line[]) {
  const sum = (of: 'sent' | 'heard' | 'strange') => talking.reduce((n, line) => n + line[of], 0);
  const dropped = talking.reduce((n, { agent }) => n + agent.counters.dropped, 0);
  return { sent: sum('sent'), heard: sum('heard'), strange: sum('strange'), dropped };
}

function endpoint(text: string, port: number): Endpoint {
  const address = parseAddress(text);
  if (address === undefined) throw new RangeError(`no address: ${text}`);
  return { family: address.length === 4 ? 4 : 6, address, port };
}
