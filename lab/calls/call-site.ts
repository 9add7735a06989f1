/**
 * The network of a call laboratory: phones in access networks of their own, and a core with a P-CSCF, a
 * host for media that TEP-S and rtpengine share (TR 33.830 8.6 note 4), and a phone. IPv4.
 *
 *     access ──┐        ┌── pcscf
 *              edge ────┼── media
 *     access ──┘        └── phone
 *
 * Addresses are those of the configurations in docs/deploy.
 */
import { NET } from '../sites.ts';
import type { Host, Link, Topology } from '../topology.ts';
import { type Access, accessOf, EDGE, type Firewall } from './access.ts';

export interface CallSite {
  readonly topology: Topology;
  readonly accesses: readonly Access[];
}

export const DOMAIN = 'ims.example';
export const PCSCF = { host: 'pcscf', name: 'pcscf.example', address: '203.0.113.10' } as const;
export const MEDIA = { host: 'media', name: 'tep.example', address: '203.0.113.18' } as const;
/** A telephone in the core that knows nothing of tunnels. */
export const PHONE = { host: 'phone', name: 'phone.example', address: '203.0.113.26' } as const;

const CORE_HOSTS = [PCSCF, MEDIA, PHONE] as const;
/** On each link of the core, eight addresses: the edge's end is the one before the host's. */
const CORE_LINK_BITS = 29;

/** One access network for each firewall; their phones are `ue`, `ue2` and so on. */
export function callSiteOf(firewalls: readonly Firewall[]): CallSite {
  const names = Object.fromEntries(CORE_HOSTS.map(({ name, address }) => [name, [address]]));
  const accesses = firewalls.map((firewall, number) => accessOf({ firewall, number, names }));
  const edge: Host = { name: EDGE, isRouter: true, routes: accesses.map(({ route }) => route) };
  const core = CORE_HOSTS.map(({ host, address }) => ({
    name: host,
    routes: [`default via ${before(address)}`],
    names,
  }));
  return {
    accesses,
    topology: {
      hosts: [...accesses.flatMap(({ hosts }) => hosts), edge, ...core],
      links: [...accesses.flatMap(({ links }) => links), ...CORE_HOSTS.map(coreLink)],
    },
  };
}

function coreLink({ host, address }: (typeof CORE_HOSTS)[number]): Link {
  return {
    ends: [
      { host: EDGE, name: host, addresses: [`${before(address)}/${CORE_LINK_BITS}`] },
      { host, name: NET, addresses: [`${address}/${CORE_LINK_BITS}`] },
    ],
  };
}

function before(address: string): string {
  const [, network = '', last = ''] = /^(.*\.)([0-9]+)$/.exec(address) ?? [];
  return `${network}${Number(last) - 1}`;
}
