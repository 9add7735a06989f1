/** Both agents, as people run them, with flows bound through them; nothing is sent yet. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, type AgentSettings } from '../../cli/demo/agent.ts';
import { Network } from '../../lab/network.ts';
import { siteOf } from '../../lab/sites.ts';
import type { ClientStatus, ServerStatus } from '../../ops/status.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { Child } from './child.ts';
import type { Traffic } from './traffic-process.ts';

export const USER = 'bench';
export const PASSWORD = 'a password of some length';

const NEVER = new AbortController().signal;

/** Two processes to be measured, and those between which they carry. */
export interface MeasuredScene {
  readonly client: { readonly pid: number };
  readonly server: { readonly pid: number };
  readonly phones: Child<Traffic>;
  readonly gateways: Child<Traffic>;
  close(): Promise<void>;
}

export interface Scene extends MeasuredScene {
  readonly client: Agent<ClientStatus>;
  readonly server: Agent<ServerStatus>;
  /** Where TEP-S listens. */
  readonly listening: string;
}

/** Where everything stands, and what the agents must be told because of it. */
interface Ground {
  readonly phones: string;
  readonly gateways: string;
  /** What comes before `node` on a command line, to get there. */
  readonly on: (host: 'ue' | 'server') => readonly string[];
  readonly server: AgentSettings;
  readonly client: (gateways: readonly string[]) => AgentSettings;
  readonly serverAt: (listening: string) => string;
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';

function loopback(): Ground {
  return {
    phones: LOOPBACK,
    gateways: LOOPBACK,
    on: () => [],
    server: {
      listen: [`${LOOPBACK}:0`],
      // It would want the same number as TCP was given, which a telephone may have.
      'stun-udp': 'false',
      'packets.port': 'sockets',
      'addresses.mode': 'relay',
      'addresses.public': [LOOPBACK],
      'media.allow': [`${LOOPBACK}:1024-65535/udp`],
    },
    client: (gateways) => ({
      'packets.port': 'sockets',
      maps: gateways.map((gateway) => `${LOOPBACK}:0=${gateway}`),
    }),
    serverAt: (listening) => listening,
    close: async () => {},
  };
}

/**
 * Each agent on the host of what it serves, as it is installed: the telephones on the host of TEP-C, the media
 * gateway on that of TEP-S. The kernel charges what a packet goes through to whoever sends it, so another host
 * of the laboratory on its way would be paid for by the agent.
 */
async function network(): Promise<Ground> {
  const site = siteOf('open', []);
  const built = await Network.build(site.topology);
  const media = `${site.relay.v4}/32`;
  return {
    phones: site.ue.v4,
    gateways: site.relay.v4,
    on: (host) => ['ip', 'netns', 'exec', built.namespace(host)],
    server: {
      listen: ['0.0.0.0:80'],
      'packets.port': 'rings',
      'addresses.mode': 'pool',
      'addresses.public': [site.pool.v4],
      'media.allow': [media],
    },
    client: () => ({ 'packets.port': 'rings', 'media.to': [media] }),
    serverAt: () => `${site.server.v4}:80`,
    close: () => built.destroy(),
  };
}

export async function openScene(port: 'sockets' | 'rings', flows: number): Promise<Scene> {
  const ground = port === 'rings' ? await network() : loopback();
  const folder = mkdtempSync(join(tmpdir(), 'tep-bench-'));
  const phones = new Child<Traffic>('./traffic-process.js', ground.on('ue'));
  const gateways = new Child<Traffic>('./traffic-process.js', ground.on('server'));
  const ues = await phones.ask('open', { address: ground.phones, sockets: flows });
  const media = await gateways.ask('open', { address: ground.gateways, sockets: flows });
  const server = startServer(ground, flows, folder);
  const { listening } = await server.until((status) => status.listening.length > 0, NEVER);
  const at = ground.serverAt(listening[0] ?? '');
  const client = startClient(ground, at, ues, media, folder);
  const status = await client.until((status) => granted(status) >= flows, NEVER);
  const publicOf = new Map(status.bindings.map((binding) => [binding.ue, binding.public]));
  const mapOf = new Map(status.maps.map((map) => [map.media, map.local]));
  await phones.ask('aim', { at: media.map((gateway) => mapOf.get(gateway) ?? gateway) });
  await gateways.ask('aim', { at: ues.map((ue) => publicOf.get(ue) ?? '') });
  const close = async () => {
    await Promise.all([phones.end(), gateways.end()]);
    await client.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
    await ground.close();
  };
  return { client, server, phones, gateways, listening: at, close };
}

function granted({ bindings }: ClientStatus): number {
  return bindings.filter((binding) => parseEndpoint(binding.public) !== undefined).length;
}

function startServer(ground: Ground, flows: number, folder: string): Agent<ServerStatus> {
  const users = join(folder, 'users');
  writeFileSync(users, `${USER}:${PASSWORD}\n`, { mode: 0o600 });
  const settings = {
    users,
    drain: '0s',
    'limits.tunnels-per-user': '2000',
    'limits.connections-per-address': '2000',
    'limits.bindings-per-tunnel': String(flows),
    'limits.bindings-per-user': String(flows),
    ...ground.server,
  };
  return new Agent('server', settings, { folder, command: ground.on('server') });
}

function startClient(
  ground: Ground,
  server: string,
  ues: readonly string[],
  gateways: readonly string[],
  folder: string,
): Agent<ClientStatus> {
  const settings = {
    servers: [`tcp://${server}`],
    user: USER,
    password: PASSWORD,
    connect: 'never',
    'media.bind': 'static',
    'media.static': ues,
    'media.max-bindings': String(ues.length),
    ...ground.client(gateways),
  };
  return new Agent('client', settings, { folder, command: ground.on('ue') });
}
