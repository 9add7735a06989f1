/** TEP-C and TEP-S as they are installed: `tep client` and `tep server` with rings, on the hosts they serve. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, type AgentSettings } from '../../cli/demo/agent.ts';
import type { ClientStatus, ServerStatus } from '../../ops/status.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { ADDRESSES, type Ground, type GroundHost } from '../link/ground.ts';
import { type At, Endpoints } from '../media/endpoints.ts';
import { scratchFolder } from '../scratch.ts';
import type { Peer } from './peer.ts';

const USER = 'bench';
const PASSWORD = 'a password of some length';
const TCP_PORT = 80;
const MEDIA = `${ADDRESSES.relay}/32`;
const NEVER = new AbortController().signal;

/** Beside those that every run has: to see what a setting does. */
export interface MoreSettings {
  readonly client: AgentSettings;
  readonly server: AgentSettings;
}

export function tep(more: MoreSettings): Peer {
  return {
    name: 'tep',
    title: 'TEP-C and TEP-S',
    isTcp: true,
    open: (ground, flows) => open(ground, flows, more),
  };
}

async function open({ network, before }: Ground, flows: number, more: MoreSettings) {
  const folder = scratchFolder();
  const on = (host: GroundHost) => ({
    folder,
    command: ['ip', 'netns', 'exec', network.namespace(host), ...before],
  });
  const phones = await Endpoints.start(network, 'ue');
  const gateways = await Endpoints.start(network, 'core');
  const ues = await phones.open(ADDRESSES.ue, flows);
  const media = await gateways.open(ADDRESSES.relay, flows);
  const settings = { ...serverSettings(folder, flows), ...more.server };
  const server = new Agent<ServerStatus>('server', settings, on('core'));
  await server.until((status) => status.listening.length > 0, NEVER);
  const client = new Agent<ClientStatus>(
    'client',
    { ...clientSettings(ues), ...more.client },
    on('ue'),
  );
  const status = await client.until((status) => granted(status).length >= flows, NEVER);
  const publicOf = new Map(granted(status));
  phones.aim(media);
  gateways.aim(ues.map((ue) => publicOf.get(nameOf(ue)) ?? ue));
  const close = async () => {
    await client.stop();
    await server.stop();
  };
  return { phones, gateways, pids: { client: [client.pid], server: [server.pid] }, close };
}

/** Addresses of the telephones with those they have in the core. */
function granted({ bindings }: ClientStatus): [string, At][] {
  return bindings.flatMap(({ ue = '', public: text }) => {
    const endpoint = parseEndpoint(text);
    if (endpoint === undefined) return [];
    const address = text.slice(0, text.lastIndexOf(':'));
    return [[ue, { address, port: endpoint.port }] satisfies [string, At]];
  });
}

function nameOf({ address, port }: At): string {
  return `${address}:${port}`;
}

function serverSettings(folder: string, flows: number): AgentSettings {
  const users = join(folder, 'users');
  writeFileSync(users, `${USER}:${PASSWORD}\n`, { mode: 0o600 });
  return {
    users,
    drain: '0s',
    listen: [`0.0.0.0:${TCP_PORT}`],
    'limits.bindings-per-tunnel': String(flows),
    'limits.bindings-per-user': String(flows),
    'packets.port': 'rings',
    'addresses.mode': 'pool',
    'addresses.public': [ADDRESSES.pool],
    'media.allow': [MEDIA],
  };
}

function clientSettings(ues: readonly At[]): AgentSettings {
  return {
    servers: [`tcp://${ADDRESSES.server}:${TCP_PORT}`],
    user: USER,
    password: PASSWORD,
    connect: 'never',
    'packets.port': 'rings',
    'media.to': [MEDIA],
    'media.bind': 'static',
    'media.static': ues.map(nameOf),
    'media.max-bindings': String(ues.length),
  };
}
