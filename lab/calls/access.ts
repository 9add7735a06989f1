/**
 * The network that a phone calls from: the phone, its NAT and its firewall, up to the router that joins
 * all networks of a call laboratory. Every phone has the same private address: only what their NATs make
 * of it tells them apart.
 *
 *     ue ── nat ── firewall ── edge
 *                     │
 *                   proxy
 *
 * All of it IPv4, or all of it IPv6: with unique local addresses, which the NAT translates like others.
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

export type Family = 4 | 6;

export interface AccessPlan {
  readonly family: Family;
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
const PHONE_PREFIX = { 4: '10.0.0.', 6: 'fd00:1::' };
/** On each link: the end nearer to the phone, and the other. */
const NEAR = 2;
const FAR = 1;
/** Of an access network: links of eight addresses of a /24, or with a /64 of a /48. */
const LINK_SIZE = 8;
/** The proxy's link: behind all others. */
const PROXY_LINK = 17;

export function accessOf({ family, firewall, number, names }: AccessPlan): Access {
  const suffix = number === 0 ? '' : String(number + 1);
  const routers = ROUTERS[siteKind(firewall)].map((router) => ({
    ...router,
    name: `${router.name}${suffix}`,
  }));
  const edgeInterface = `access${number}`;
  const chain: Chain = { family, number, ue: `ue${suffix}`, edgeInterface, routers };
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
    route: `${networkOf(chain)} via ${at(chain, routers.length, NEAR)}`,
  };
}

/** The two kinds with a proxy differ in what the proxy wants to know. */
function siteKind(firewall: Firewall): SiteKind {
  return firewall === 'web-proxy' ? 'proxy-only' : firewall;
}

interface Chain {
  readonly family: Family;
  readonly number: number;
  readonly ue: string;
  readonly edgeInterface: string;
  readonly routers: readonly RouterPlan[];
}

function proxyOf(firewall: Firewall, chain: Chain, host: string): Access['proxy'] {
  if (siteKind(firewall) !== 'proxy-only') return undefined;
  const auth = firewall === 'web-proxy' ? 'basic' : 'open';
  return { host, address: at(chain, PROXY_LINK, NEAR), auth };
}

/** The address that the last NAT on the way gives. */
function publicAddress(chain: Chain): string {
  const last = chain.routers.findLastIndex(({ nat }) => nat !== undefined);
  return at(chain, last + 1, NEAR);
}

/** Link 0 is the phone's, the last one ends at the edge. */
function at({ family, number }: Chain, link: number, end: number): string {
  if (link === 0) return `${PHONE_PREFIX[family]}${end}`;
  if (family === 6) return `2001:db8:${number + 1}:${link}::${end}`;
  return `198.51.${100 + number}.${(link - 1) * LINK_SIZE + end}`;
}

/** With prefix length: of an end, or of a link as a whole. */
function onLink({ family }: Chain, link: number, address: string): string {
  const bits = family === 6 ? 64 : link === 0 ? 24 : 29;
  return `${address}/${bits}`;
}

/** Of all links but the phone's. */
function networkOf({ family, number }: Chain): string {
  return family === 6 ? `2001:db8:${number + 1}::/48` : `198.51.${100 + number}.0/24`;
}

function chainLink(chain: Chain, link: number): Link {
  const { ue, edgeInterface, routers } = chain;
  const near = routers[link - 1];
  const far = routers[link];
  const address = (end: number) => onLink(chain, link, at(chain, link, end));
  const ends: Link['ends'] = [
    end(near?.name ?? ue, near === undefined ? NET : OUTSIDE, address(NEAR)),
    end(far?.name ?? EDGE, far === undefined ? edgeInterface : INSIDE, address(FAR)),
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
      ...(router.nat === undefined ? {} : { nat: natOf(chain, router.nat) }),
      ...(router.firewall === undefined ? {} : { firewall: router.firewall }),
    }),
  };
}

/** It translates IPv6 where there is nothing else. */
function natOf({ family }: Chain, nat: NonNullable<RouterPlan['nat']>) {
  return { ...nat, ...(family === 6 ? { ipv6: true } : {}), outside: OUTSIDE };
}

/** To a link before the one at this router's inside. */
function backRoute(chain: Chain, link: number, router: number): string {
  return `${onLink(chain, link, at(chain, link, 0))} via ${at(chain, router, NEAR)}`;
}

function proxyHost(chain: Chain, name: string, names: AccessPlan['names']): Host {
  return { name, routes: [`default via ${at(chain, PROXY_LINK, FAR)}`], names };
}

function proxyLink(chain: Chain, host: string): Link {
  const router = chain.routers.at(-1)?.name ?? '';
  const address = (end: number) => onLink(chain, PROXY_LINK, at(chain, PROXY_LINK, end));
  return { ends: [end(host, NET, address(NEAR)), end(router, DMZ, address(FAR))] };
}

function end(host: string, name: string, address: string): LinkEnd {
  return { host, name, addresses: [address] };
}
