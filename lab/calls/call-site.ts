/**
 * The network of a call laboratory: phones in access networks of their own, and a core with a P-CSCF, a
 * host for media that TEP-S and rtpengine share (TR 33.830 8.6 note 4), and a phone.
 *
 *     access ──┐        ┌── pcscf
 *              edge ────┼── media
 *     access ──┘        └── phone
 *
 * IPv4 addresses are those of the configurations in docs/deploy. For phones that have IPv6 alone the core has
 * both; what Kamailio, TEP-S and rtpengine have to tell each other still goes by IPv4.
 */
import { NET } from '../sites.ts';
import type { Host, Link, Topology } from '../topology.ts';
import { type Access, accessOf, EDGE, type Family, type Firewall } from './access.ts';

export interface CoreHost {
  readonly host: string;
  readonly name: string;
  readonly address: string;
  readonly address6: string;
}

export interface CallSite {
  readonly topology: Topology;
  readonly accesses: readonly Access[];
}

export const DOMAIN = 'ims.example';
export const PCSCF: CoreHost = {
  ...{ host: 'pcscf', name: 'pcscf.example' },
  ...{ address: '203.0.113.10', address6: '2001:db8:113:10::2' },
};
export const MEDIA: CoreHost = {
  ...{ host: 'media', name: 'tep.example' },
  ...{ address: '203.0.113.18', address6: '2001:db8:113:18::2' },
};
/** A telephone in the core that knows nothing of tunnels. */
export const PHONE: CoreHost = {
  ...{ host: 'phone', name: 'phone.example' },
  ...{ address: '203.0.113.26', address6: '2001:db8:113:26::2' },
};

const CORE_HOSTS = [PCSCF, MEDIA, PHONE];
/** Of each link of the core. The edge's end has the address before the host's. */
const CORE_LINK_BITS = { 4: 29, 6: 64 };

/** Where phones of that family meet it. */
export function addressOf({ address, address6 }: CoreHost, family: Family): string {
  return family === 6 ? address6 : address;
}

/** One access network for each firewall; their phones are `ue`, `ue2` and so on. */
export function callSiteOf(firewalls: readonly Firewall[], family: Family = 4): CallSite {
  const names = Object.fromEntries(CORE_HOSTS.map((one) => [one.name, [addressOf(one, family)]]));
  const accesses = firewalls.map((firewall, number) => {
    return accessOf({ family, firewall, number, names });
  });
  const edge: Host = { name: EDGE, isRouter: true, routes: accesses.map(({ route }) => route) };
  const families: readonly Family[] = family === 6 ? [4, 6] : [4];
  const core = CORE_HOSTS.map((one) => ({
    name: one.host,
    routes: families.map((each) => `default via ${before(addressOf(one, each))}`),
    names,
  }));
  return {
    accesses,
    topology: {
      hosts: [...accesses.flatMap(({ hosts }) => hosts), edge, ...core],
      links: [
        ...accesses.flatMap(({ links }) => links),
        ...CORE_HOSTS.map((one) => coreLink(one, families)),
      ],
    },
  };
}

function coreLink(one: CoreHost, families: readonly Family[]): Link {
  const addresses = (as: (address: string) => string) => {
    return families.map((family) => `${as(addressOf(one, family))}/${CORE_LINK_BITS[family]}`);
  };
  return {
    ends: [
      { host: EDGE, name: one.host, addresses: addresses(before) },
      { host: one.host, name: NET, addresses: addresses((address) => address) },
    ],
  };
}

function before(address: string): string {
  const [, network = '', last = ''] = /^(.*[.:])([0-9]+)$/.exec(address) ?? [];
  return `${network}${Number(last) - 1}`;
}
