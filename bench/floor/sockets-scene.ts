/**
 * The scene of the agents with `sockets` (agents/scene.ts), and in the place of each agent the least C program that
 * could stand there (udp.c).
 */
import { Program } from '../../lab/program.ts';
import { Child } from '../agents/child.ts';
import type { MeasuredScene } from '../agents/scene.ts';
import type { Traffic } from '../agents/traffic-process.ts';
import { compile } from '../compile.ts';
import { READY } from './ready.ts';

const LOOPBACK = '127.0.0.1';
const PORTS = /^ports (.+)$/m;

export async function openSocketsFloor(flows: number): Promise<MeasuredScene> {
  const command = await compile('bench/floor/udp.c');
  const phones = new Child<Traffic>('./traffic-process.js');
  const gateways = new Child<Traffic>('./traffic-process.js');
  const start = (mode: keyof typeof READY, port: string, targets: readonly string[]) => {
    const args = [mode, LOOPBACK, port, ...targets.map(portOf)];
    return Program.start({ command, args, ready: { output: READY[mode] } });
  };
  const opening = { address: LOOPBACK, sockets: flows };
  const server = await start('listen', '0', await gateways.ask('open', opening));
  const [, port = ''] = READY.listen.exec(server.output) ?? [];
  const client = await start('connect', port, await phones.ask('open', opening));
  await phones.ask('aim', { at: socketsOf(client) });
  await gateways.ask('aim', { at: socketsOf(server) });
  const close = async () => {
    await Promise.all([phones.end(), gateways.end(), client.stop(), server.stop()]);
  };
  return { client, server, phones, gateways, close };
}

function portOf(endpoint: string): string {
  return endpoint.slice(endpoint.lastIndexOf(':') + 1);
}

function socketsOf({ output }: Program): string[] {
  const [, ports = ''] = PORTS.exec(output) ?? [];
  return ports.split(' ').map((port) => `${LOOPBACK}:${port}`);
}
