/**
 * The network that a phone calls from: the phone, its NAT and its firewall, up to the router that joins
 * all networks of a call laboratory. Every phone has the same private address: only what their NATs make
 * of it tells them apart.
 *
 *     ue ── nat ── firewall ── edge
 *                     │
 *                   proxy
 */
import { rulesetOf } from '../rulesets.ts';
import { DMZ, INSIDE, NET, OUTSIDE, ROUTERS, type RouterPlan, type SiteKind } from '../sites.ts';
import type { Host, Link, LinkEnd } from '../topology.ts';

/** Kinds of networks, by what their firewalls let out. */
export const FIREWALLS = [
  'open',
  'double-nat',
  'udp-blocked',
  'web-only',
  '443-only',
  'sip-blocked',
  'two-firewalls',
  'proxy-only',
  'web-proxy',
] as const;
export type Firewall = (typeof FIREWALLS)[number];

export interface AccessPlan {
  readonly firewall: Firewall;
  /** From 0; each access network of a laboratory has its own. */
  readonly number: number;
  /** The names of the hosts at the phone's side can be looked up by all of them. */
  readonly names: Readonly<Record<string, readonly string[]>>;
}

export interface Access {
  /** Name of the phone's host. */
  readonly ue: string;
  readonly privateAddress: string;
  /** Where the world sees the phone, also by way of the proxy. */
  readonly publicAddress: string;
  readonly proxy?: {
    readonly host: string;
    readonly address: string;
    readonly auth: 'open' | 'basic';
  };
  readonly hosts: readonly Host[];
  readonly links: readonly Link[];
  /** For the edge. */
  readonly route: string;
}

export const EDGE = 'edge';
const PHONE_PREFIX = '10.0.0.';
/** On each link: the end nearer to the phone, and the other. */
const NEAR = 2;
const FAR = 1;
/** Of the /24 of an access network: links of eight addresses, the proxy's behind all others. */
const LINK_SIZE = 8;
const PROXY_OFFSET = 128;

export function accessOf({ firewall, number, names }: AccessPlan): Access {
  const suffix = number === 0 ? '' : String(number + 1);
  const prefix = `198.51.${100 + number}.`;
  const routers = ROUTERS[siteKind(firewall)].map((router) => ({
    ...router,
    name: `${router.name}${suffix}`,
  }));
  const chain: Chain = { ue: `ue${suffix}`, edgeInterface: `access${number}`, routers, prefix };
  const proxy = proxyOf(firewall, chain, `proxy${suffix}`);
  const known = proxy === undefined ? names : { ...names, 'proxy.example': [proxy.address] };
  return {
    ue: chain.ue,
    privateAddress: at(chain, 0, NEAR),
    publicAddress: proxy?.address ?? publicAddress(chain),
    ...(proxy === undefined ? {} : { proxy }),
    hosts: [
      { name: chain.ue, routes: [`default via ${at(chain, 0, FAR)}`], names: known },
      ...routers.map((_, i) => routerHost(chain, i)),
      ...(proxy === undefined ? [] : [proxyHost(chain, proxy.host, known)]),
    ],
    links: [
      ...Array.from({ length: routers.length + 1 }, (_, i) => chainLink(chain, i)),
      ...(proxy === undefined ? [] : [proxyLink(chain, proxy.host)]),
    ],
    route: `${prefix}0/24 via ${at(chain, routers.length, NEAR)}`,
  };
}

/** The two kinds with a proxy differ in what the proxy wants to know. */
function siteKind(firewall: Firewall): SiteKind {
  return firewall === 'web-proxy' ? 'proxy-only' : firewall;
}

interface Chain {
  readonly ue: string;
  readonly edgeInterface: string;
  readonly routers: readonly RouterPlan[];
  readonly prefix: string;
}

function proxyOf(firewall: Firewall, { prefix }: Chain, host: string): Access['proxy'] {
  if (siteKind(firewall) !== 'proxy-only') return undefined;
  const auth = firewall === 'web-proxy' ? 'basic' : 'open';
  return { host, address: `${prefix}${PROXY_OFFSET + NEAR}`, auth };
}

/** The address that the last NAT on the way gives. */
function publicAddress(chain: Chain): string {
  const last = chain.routers.findLastIndex(({ nat }) => nat !== undefined);
  return at(chain, last + 1, NEAR);
}

/** Link 0 is the phone's, the last one ends at the edge. */
function at({ prefix }: Chain, link: number, end: number): string {
  return link === 0 ? `${PHONE_PREFIX}${end}` : `${prefix}${(link - 1) * LINK_SIZE + end}`;
}

function chainLink(chain: Chain, link: number): Link {
  const { ue, edgeInterface, routers } = chain;
  const near = routers[link - 1];
  const far = routers[link];
  const size = link === 0 ? 24 : 29;
  const ends: Link['ends'] = [
    end(near?.name ?? ue, near === undefined ? NET : OUTSIDE, `${at(chain, link, NEAR)}/${size}`),
    end(
      far?.name ?? EDGE,
      far === undefined ? edgeInterface : INSIDE,
      `${at(chain, link, FAR)}/${size}`,
    ),
  ];
  return { ends };
}

function routerHost(chain: Chain, index: number): Host {
  const router = chain.routers[index];
  if (router === undefined) throw new RangeError(`no router ${index}`);
  const back = Array.from({ length: Math.max(0, index - 1) }, (_, i) =>
    backRoute(chain, i + 1, index),
  );
  return {
    name: router.name,
    isRouter: true,
    routes: [`default via ${at(chain, index + 1, FAR)}`, ...back],
    ruleset: rulesetOf({
      ...(router.nat === undefined ? {} : { nat: { ...router.nat, outside: OUTSIDE } }),
      ...(router.firewall === undefined ? {} : { firewall: router.firewall }),
    }),
  };
}

/** To a link before the one at this router's inside. */
function backRoute({ prefix, ...chain }: Chain, link: number, router: number): string {
  return `${prefix}${(link - 1) * LINK_SIZE}/29 via ${at({ prefix, ...chain }, router, NEAR)}`;
}

function proxyHost({ prefix }: Chain, name: string, names: AccessPlan['names']): Host {
  return { name, routes: [`default via ${prefix}${PROXY_OFFSET + FAR}`], names };
}

function proxyLink({ prefix, routers }: Chain, host: string): Link {
  const router = routers.at(-1)?.name ?? '';
  return {
    ends: [
      end(host, NET, `${prefix}${PROXY_OFFSET + NEAR}/29`),
      end(router, DMZ, `${prefix}${PROXY_OFFSET + FAR}/29`),
    ],
  };
}

function end(host: string, name: string, address: string): LinkEnd {
  return { host, name, addresses: [address] };
}
