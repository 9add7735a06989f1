/**
 * Hosts of their own in network namespaces: a phone behind a NAT and a firewall, TEP-S outside, a media
 * gateway behind it. TEP-C takes the phones' packets off the routes of their host (rings), TEP-S those to
 * the phones' public addresses off the routes of its own. Needs root.
 */
import { endpointOf } from '../../io/endpoints.ts';
import { withinNamespace } from '../../io/kernel/namespace.ts';
import { openUdp } from '../../io/udp-socket.ts';
import { LabError } from '../../lab/lab-error.ts';
import { Network } from '../../lab/network.ts';
import { startProxy, TINYPROXY_PORT } from '../../lab/proxies.ts';
import { labMissing } from '../../lab/requirements.ts';
import { type Site, siteOf } from '../../lab/sites.ts';
import { Failure } from '../command.ts';
import { passingFolder } from '../temporary-folder.ts';
import type { AgentSettings } from './agent.ts';
import type { Host } from './party.ts';
import type { Closers, Stage } from './setup.ts';

/** Firewalls that let no media out; those of the lab that do would show nothing. */
export const FIREWALLS = [
  'web-only',
  '443-only',
  'two-firewalls',
  'udp-blocked',
  'proxy-only',
] as const;
export type FirewallKind = (typeof FIREWALLS)[number];

export interface NetnsStage extends Stage {
  readonly kind: FirewallKind;
  readonly site: Site;
}

/** Builds the network; `closers` take it down. Throws `Failure` where the machine will not. */
export async function openNetnsStage(kind: FirewallKind, closers: Closers): Promise<NetnsStage> {
  const missing = labMissing(kind === 'proxy-only' ? ['tinyproxy'] : []);
  if (missing !== undefined) throw new Failure(missing);
  const site = siteOf(kind);
  const network = await orFailure(Network.build(site.topology));
  closers.push(() => network.destroy());
  if (kind === 'proxy-only') await orFailure(openProxy(network, closers));
  const command = (host: string) => ['ip', 'netns', 'exec', network.namespace(host)];
  const port = kind === '443-only' || kind === 'proxy-only' ? 443 : 80;
  return {
    kind,
    site,
    phones: hostOf(network, 'ue', site.ue.v4),
    gateways: hostOf(network, 'gateway', site.gateway.v4),
    clientCommand: command('ue'),
    serverCommand: command('server'),
    serverSettings: {
      listen: ['0.0.0.0:80', '0.0.0.0:443'],
      'packets.port': 'rings',
      'addresses.mode': 'reflexive',
      'media.allow': [mediaOf(site)],
    },
    server: () => `tcp://${site.server.v4}:${port}`,
    clientSettings: () => clientSettings(site),
  };
}

function clientSettings(site: Site): AgentSettings {
  const rings = { 'packets.port': 'rings', 'media.to': [mediaOf(site)] };
  if (site.proxy === undefined) return { ...rings, connect: 'never' };
  return { ...rings, proxy: `http://${site.proxy.v4}:${TINYPROXY_PORT}` };
}

function mediaOf(site: Site): string {
  return `${site.gateway.v4}/32`;
}

async function openProxy(network: Network, closers: Closers): Promise<void> {
  const { path, remove } = passingFolder('tep-demo-proxy-');
  closers.push(async () => remove());
  const plan = { program: 'tinyproxy', auth: 'open', connectPorts: [443] } as const;
  await startProxy(network, 'proxy', plan, path);
}

/** What the lab cannot do is one line for people, as all that this machine cannot. */
async function orFailure<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof LabError ? new Failure(error.message) : error;
  }
}

/** Its sockets are ours, so that one clock measures both sides; they stand in its namespace. */
function hostOf(network: Network, name: string, address: string): Host {
  const file = `/run/netns/${network.namespace(name)}`;
  return {
    open: async (port, receive) =>
      withinNamespace(file, () => openUdp(endpointOf(address, port), receive)),
  };
}
