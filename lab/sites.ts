/**
 * The networks that people have to call from. In each: a phone (`ue`) behind one or more routers, a
 * server that TEP-S runs on, and behind it the core network with a media gateway (`gateway`).
 *
 *     ue ── router … router ── server ── gateway
 *                    │
 *                  proxy
 *
 * Only literal addresses: there is no DNS in a lab. `SERVER_NAME` is in the hosts files of the phone and
 * the proxy.
 */
import { type Firewall, type Nat, type Passage, rulesetOf } from './rulesets.ts';
import type { Host, Link, LinkEnd, Topology } from './topology.ts';

export const SITE_KINDS = [
  'open',
  'double-nat',
  'udp-blocked',
  'web-only',
  '443-only',
  'sip-blocked',
  'proxy-only',
  'two-firewalls',
] as const;

export type SiteKind = (typeof SITE_KINDS)[number];

/** One address of each family. */
export interface Both {
  readonly v4: string;
  readonly v6: string;
}

export interface Site {
  readonly topology: Topology;
  readonly ue: Both;
  /** Where TEP-S listens. */
  readonly server: Both;
  /** Of the server, towards the core: what it has in relay mode. */
  readonly relay: Both;
  /** Routed to the server by the core, belonging to no host: for pool mode. */
  readonly pool: Both;
  readonly gateway: Both;
  /** What the server sees the phone come from: for reflexive mode. */
  readonly publicUe: Both;
  readonly proxy?: Both;
  /** Routers from the phone to the server. */
  readonly routers: readonly RouterPlan[];
}

export const SERVER_NAME = 'tep.example';
const PROXY_NAME = 'proxy.example';
/** Ports of the proxies that a phone may reach: squid's and tinyproxy's usual ones. */
export const PROXY_PORTS = [3128, 8888];

/** Interfaces of a router: towards the phone, towards the server, towards the proxy. */
export const INSIDE = 'inside';
export const OUTSIDE = 'outside';
export const DMZ = 'dmz';
/** Interface of the phone, and of the gateway. */
export const NET = 'net';
/** Interfaces of the server: towards its clients, towards the gateway. */
export const ACCESS = 'access';
const CORE = 'core';

export interface RouterPlan {
  readonly name: string;
  readonly nat?: Nat;
  readonly firewall?: Firewall;
}

const OUTWARDS = { from: INSIDE, to: OUTSIDE } as const;
const ALL_TCP: Passage = { ...OUTWARDS, protocol: 'tcp' };
const WEB: Passage = { ...ALL_TCP, ports: [80, 443] };
const ONLY_443: Passage = { ...ALL_TCP, ports: [443] };
const SIP_PORTS = [5060, 5061];
const NO_SIP: readonly Passage[] = [
  { ...OUTWARDS, protocol: 'tcp', exceptPorts: SIP_PORTS },
  { ...OUTWARDS, protocol: 'udp', exceptPorts: SIP_PORTS },
];
const TO_PROXY: Passage = { from: INSIDE, to: DMZ, protocol: 'tcp', ports: PROXY_PORTS };
const FROM_PROXY: Passage = { from: DMZ, to: OUTSIDE, protocol: 'tcp', ports: [80, 443] };

const NAT: RouterPlan = { name: 'nat', nat: { kind: 'port-restricted' } };

/** What stands between the phone and the world, from the phone on. */
export const ROUTERS: Readonly<Record<SiteKind, readonly RouterPlan[]>> = {
  open: [NAT],
  'double-nat': [
    { name: 'nat', nat: { kind: 'symmetric', ipv6: true } },
    { name: 'carrier-nat', nat: { kind: 'symmetric', ipv6: true } },
  ],
  'udp-blocked': [NAT, firewall('firewall', 'drop', ALL_TCP)],
  'web-only': [NAT, firewall('firewall', 'drop', WEB)],
  '443-only': [NAT, firewall('firewall', 'reject', ONLY_443)],
  'sip-blocked': [NAT, firewall('firewall', 'reject', ...NO_SIP)],
  'proxy-only': [NAT, firewall('firewall', 'reject', TO_PROXY, FROM_PROXY)],
  'two-firewalls': [NAT, firewall('firewall', 'reject', WEB), firewall('outer', 'drop', WEB)],
};

/** IPv4 and IPv6 prefixes of the links from the phone to the server, without the last number. */
const LINK_PREFIXES = [
  { v4: '10.0.0.', v6: '2001:db8:1::' },
  { v4: '198.51.100.', v6: '2001:db8:2::' },
  { v4: '198.18.1.', v6: '2001:db8:3::' },
];
const SERVER_PREFIX = { v4: '192.0.2.', v6: '2001:db8:80::' };
const PROXY_PREFIX = { v4: '198.51.101.', v6: '2001:db8:50::' };
const CORE_PREFIX = { v4: '203.0.113.', v6: '2001:db8:113::' };
const POOL = { v4: '198.18.128.0/24', v6: '2001:db8:114::/112' };

/** On each link: the end nearer to the phone, and the other. */
const NEAR = 2;
const FAR = 1;
const SERVER_NUMBER = 80;
const GATEWAY_NUMBER = 9;

/** What stands in the way is told by `kind`; who may change it gives other routers. */
export function siteOf(kind: SiteKind, routers: readonly RouterPlan[] = ROUTERS[kind]): Site {
  const prefixes = [...LINK_PREFIXES.slice(0, routers.length), SERVER_PREFIX];
  const [first = SERVER_PREFIX] = prefixes;
  const server = at(SERVER_PREFIX, SERVER_NUMBER);
  const hasProxy = kind === 'proxy-only';
  const proxy = at(PROXY_PREFIX, NEAR);
  const site = {
    ue: at(first, NEAR),
    server,
    relay: at(CORE_PREFIX, FAR),
    pool: POOL,
    gateway: at(CORE_PREFIX, GATEWAY_NUMBER),
    publicUe: hasProxy ? proxy : publicAddress(routers, prefixes),
    routers,
    ...(hasProxy ? { proxy } : {}),
  };
  return { ...site, topology: topologyOf(routers, prefixes, hasProxy) };
}

/** The address that the last NAT on the way gives. */
function publicAddress(routers: readonly RouterPlan[], prefixes: readonly Both[]): Both {
  const [first = SERVER_PREFIX] = prefixes;
  let seen = at(first, NEAR);
  for (const [i, { nat }] of routers.entries()) {
    const outside = at(prefixes[i + 1] ?? SERVER_PREFIX, NEAR);
    if (nat !== undefined) seen = { v4: outside.v4, v6: nat.ipv6 ? outside.v6 : seen.v6 };
  }
  return seen;
}

function topologyOf(
  routers: readonly RouterPlan[],
  prefixes: readonly Both[],
  hasProxy: boolean,
): Topology {
  const last = routers.length - 1;
  const names = { [SERVER_NAME]: values(at(SERVER_PREFIX, SERVER_NUMBER)) };
  const withProxy = hasProxy ? { ...names, [PROXY_NAME]: values(at(PROXY_PREFIX, NEAR)) } : names;
  const proxyHost: Host = { name: 'proxy', routes: defaultVia(at(PROXY_PREFIX, FAR)), names };
  return {
    hosts: [
      { name: 'ue', routes: defaultVia(farEnd(prefixes, 0)), names: withProxy },
      ...routers.map((router, i) => routerHost(router, i, prefixes)),
      ...(hasProxy ? [proxyHost] : []),
      { name: 'server', isRouter: true, routes: defaultVia(at(SERVER_PREFIX, NEAR)) },
      { name: 'gateway', routes: defaultVia(at(CORE_PREFIX, FAR)) },
    ],
    links: [
      ...chainLinks(routers, prefixes),
      ...(hasProxy ? [proxyLink(routers[last]?.name ?? '')] : []),
      link(end('server', CORE, CORE_PREFIX, FAR), end('gateway', NET, CORE_PREFIX, GATEWAY_NUMBER)),
    ],
  };
}

function routerHost(router: RouterPlan, index: number, prefixes: readonly Both[]): Host {
  const { name, nat } = router;
  const back = prefixes.slice(0, index).flatMap((prefix) => routesTo(prefix, prefixes[index]));
  const firewall = router.firewall === undefined ? {} : { firewall: router.firewall };
  const outside = nat === undefined ? {} : { nat: { ...nat, outside: OUTSIDE } };
  return {
    name,
    isRouter: true,
    routes: [...defaultVia(farEnd(prefixes, index + 1)), ...back],
    ruleset: rulesetOf({ ...firewall, ...outside }),
  };
}

/** The last link ends at the server. */
function farEnd(prefixes: readonly Both[], index: number): Both {
  const isLast = index + 1 === prefixes.length;
  return at(prefixes[index] ?? SERVER_PREFIX, isLast ? SERVER_NUMBER : FAR);
}

/** The links before a router are reached by the one before it. */
function routesTo(prefix: Both, by: Both = SERVER_PREFIX): string[] {
  const via = at(by, NEAR);
  return [`${prefix.v4}0/24 via ${via.v4}`, `${prefix.v6}/64 via ${via.v6}`];
}

function chainLinks(routers: readonly RouterPlan[], prefixes: readonly Both[]): Link[] {
  return prefixes.map((prefix, i) => {
    const near = routers[i - 1];
    const far = routers[i];
    return link(
      near === undefined ? end('ue', NET, prefix, NEAR) : end(near.name, OUTSIDE, prefix, NEAR),
      far === undefined
        ? end('server', ACCESS, prefix, SERVER_NUMBER)
        : end(far.name, INSIDE, prefix, FAR),
    );
  });
}

function proxyLink(router: string): Link {
  return link(end('proxy', NET, PROXY_PREFIX, NEAR), end(router, DMZ, PROXY_PREFIX, FAR));
}

function firewall(
  name: string,
  refusal: Firewall['refusal'],
  ...pass: readonly Passage[]
): RouterPlan {
  return { name, firewall: { pass, refusal } };
}

function link(a: LinkEnd, b: LinkEnd): Link {
  return { ends: [a, b] };
}

function end(host: string, name: string, prefix: Both, number: number): LinkEnd {
  const { v4, v6 } = at(prefix, number);
  return { host, name, addresses: [`${v4}/24`, `${v6}/64`] };
}

function at(prefix: Both, number: number): Both {
  return { v4: `${prefix.v4}${number}`, v6: `${prefix.v6}${number}` };
}

function values({ v4, v6 }: Both): string[] {
  return [v4, v6];
}

function defaultVia({ v4, v6 }: Both): string[] {
  return [`default via ${v4}`, `default via ${v6}`];
}
