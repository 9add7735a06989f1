/** The firewalls of the matrix: a kind of network, and what it takes to get a tunnel through it. */
import { type ProxyPlan, SQUID_PORT, TINYPROXY_PORT } from '../../lab/proxies.ts';
import type { SiteKind } from '../../lab/sites.ts';

export interface Variant {
  readonly name: string;
  readonly kind: SiteKind;
  readonly proxy?: ProxyPlan & { readonly port: number };
  /** Where a plain tunnel goes: port 80 by the standard (M-07), another where that is closed. */
  readonly plainPort: 80 | 443;
  /** Whether the phone could reach the media gateway without a tunnel. */
  readonly isOpenToUdp: boolean;
}

const BOTH_PORTS = [80, 443];
const ONLY_443 = [443];

export const VARIANTS: readonly Variant[] = [
  { name: 'open', kind: 'open', plainPort: 80, isOpenToUdp: true },
  { name: 'double NAT', kind: 'double-nat', plainPort: 80, isOpenToUdp: true },
  { name: 'UDP blocked', kind: 'udp-blocked', plainPort: 80, isOpenToUdp: false },
  { name: 'TCP 80 and 443', kind: 'web-only', plainPort: 80, isOpenToUdp: false },
  { name: 'TCP 443', kind: '443-only', plainPort: 443, isOpenToUdp: false },
  behind('squid', squid('open', ONLY_443)),
  behind('squid, Basic', squid('basic', ONLY_443)),
  behind('squid, Digest', squid('digest', ONLY_443)),
  behind('squid, 80 too', squid('open', BOTH_PORTS)),
  behind('tinyproxy', {
    program: 'tinyproxy',
    auth: 'open',
    connectPorts: ONLY_443,
    port: TINYPROXY_PORT,
  }),
  { name: 'two firewalls', kind: 'two-firewalls', plainPort: 80, isOpenToUdp: false },
];

function behind(name: string, proxy: ProxyPlan & { readonly port: number }): Variant {
  const plainPort = proxy.connectPorts.includes(80) ? 80 : 443;
  return { name, kind: 'proxy-only', proxy, plainPort, isOpenToUdp: false };
}

function squid(auth: ProxyPlan['auth'], connectPorts: readonly number[]) {
  return { program: 'squid', auth, connectPorts, port: SQUID_PORT } as const;
}
