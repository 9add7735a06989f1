/** The two agents as people run them: `tep server` and `tep client`, with a file of settings each. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent } from '../../lab/agent.ts';
import type { Certificate } from '../../lab/certificate.ts';
import type { Network } from '../../lab/network.ts';
import { inUri, type Place } from '../../lab/place.ts';
import { PROXY_PASSWORD, PROXY_USER } from '../../lab/proxies.ts';
import type { Both, Site } from '../../lab/sites.ts';

export const MODES = ['relay', 'pool', 'reflexive'] as const;
export type Mode = (typeof MODES)[number];
export type FamilyName = keyof Both;

export const USER = 'alice';
export const PASSWORD = 'correct horse: battery';
/** At the media gateway's address; nobody listens there: TEP-C answers. */
export const STUN_PORT = 3478;
export const CORE_PREFIXES = ['203.0.113.0/24', '2001:db8:113::/64'];

/** Settings as a file of them has them: every value a text or a list of texts. */
export type Settings = Readonly<Record<string, string | readonly string[]>>;

export interface ServerPlan {
  readonly site: Site;
  readonly mode: Mode;
  readonly certificate?: Certificate;
  readonly folder: string;
  readonly more?: Settings;
}

export async function startServer(network: Network, plan: ServerPlan): Promise<Agent> {
  const { site, mode, certificate, folder, more = {} } = plan;
  const users = join(folder, 'users');
  await mkdir(folder, { recursive: true });
  await writeFile(users, `${USER}:${PASSWORD}\n`, { mode: 0o600 });
  const tls = certificate && {
    'tls.certificate': certificate.certificate,
    'tls.key': certificate.key,
  };
  const settings: Settings = {
    listen: ['[::]:80', '[::]:443'],
    users,
    ...addressSettings(site, mode),
    'media.allow': CORE_PREFIXES,
    drain: '0s',
    'log.level': 'debug',
    ...tls,
    ...more,
  };
  return startAgent(network, 'server', 'server', folder, settings);
}

function addressSettings({ relay, pool }: Site, mode: Mode): Settings {
  const rings = { 'addresses.mode': mode, 'packets.port': 'rings' };
  switch (mode) {
    case 'relay':
      return { 'addresses.mode': mode, 'addresses.public': [relay.v4, relay.v6] };
    case 'pool':
      return { ...rings, 'addresses.public': [pool.v4, pool.v6] };
    case 'reflexive':
      return rings;
  }
}

export interface ClientPlan {
  readonly site: Site;
  /** `tcp://192.0.2.80:80` */
  readonly servers: readonly string[];
  readonly folder: string;
  readonly certificate?: Certificate;
  readonly more?: Settings;
}

export async function startClient(network: Network, plan: ClientPlan): Promise<Agent> {
  const { site, servers, folder, certificate, more = {} } = plan;
  await mkdir(folder, { recursive: true });
  const password = join(folder, 'password');
  await writeFile(password, `${PASSWORD}\n`, { mode: 0o600 });
  const settings: Settings = {
    servers,
    user: USER,
    'password-file': password,
    'media.to': CORE_PREFIXES,
    'stun-at': stunPlaces(site).map(inUri),
    'log.level': 'debug',
    ...(certificate && { 'tls.ca': certificate.certificate, 'tls.server-name': 'tep.example' }),
    ...more,
  };
  return startAgent(network, 'ue', 'client', folder, settings);
}

export async function proxySettings(proxy: Place, folder: string): Promise<Settings> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'proxy-password');
  await writeFile(file, `${PROXY_PASSWORD}\n`, { mode: 0o600 });
  return { proxy: `http://${PROXY_USER}@${inUri(proxy)}`, 'proxy-password-file': file };
}

export function stunPlace(site: Site, family: FamilyName): Place {
  return { address: site.gateway[family], port: STUN_PORT };
}

function stunPlaces(site: Site): Place[] {
  return [stunPlace(site, 'v4'), stunPlace(site, 'v6')];
}

async function startAgent(
  network: Network,
  host: string,
  kind: 'client' | 'server',
  folder: string,
  settings: Settings,
): Promise<Agent> {
  const file = join(folder, `${kind}.yaml`);
  const status = join(folder, `${kind}.sock`);
  // JSON is YAML.
  await writeFile(file, JSON.stringify(settings, null, 2));
  return Agent.start(network, { host, kind, file, folder, statusSocket: status });
}
