/** A host for the packet port `rings`, with things of others on it that must stay as they are. */
import type { ExecutionContext } from 'ava';
import { Network } from '../../lab/network.ts';
import type { Topology } from '../../lab/topology.ts';
import { netTest } from './net-test.ts';
import { RingsHost } from './rings-host.ts';

/** Everything is on one host: the programs, the port, and addresses that exist nowhere. */
const HOST: Topology = { hosts: [{ name: 'ue' }], links: [] };

/** What belongs to somebody else, and must stay as it is. */
const FOREIGN = `ip addr add 10.1.1.1/32 dev lo
ip addr add 10.1.1.2/32 dev lo
ip addr add fd00::1/128 dev lo nodad
ip addr add fd00::2/128 dev lo nodad
ip link add other0 type veth peer name other1
ip link set other0 up
ip link set other1 up
ip route add 192.0.2.0/24 dev other0 table 77
ip rule add priority 5000 fwmark 0x77 lookup 77
ip -6 rule add priority 5000 fwmark 0x77 lookup 77
nft add table inet other
nft add chain inet other input { type filter hook input priority 0 \\; }
nft add rule inet other input udp dport 9 counter drop
`;

const TO = { kind: 'divert', to: [{ prefix: '203.0.113.0/24' }, { prefix: '2001:db8::/32' }] };
export const FAMILIES = [
  { family: 'IPv4', caller: '10.1.1.1', name: '203.0.113.9', callee: '10.1.1.2', header: 28 },
  { family: 'IPv6', caller: 'fd00::1', name: '2001:db8::9', callee: 'fd00::2', header: 48 },
] as const;
const HAIRPIN = ['203.0.113.9', '10.1.1.1', '203.0.113.77', '10.1.1.2'].concat([
  '2001:db8::9',
  'fd00::1',
  '2001:db8::77',
  'fd00::2',
]);
export const OPTIONS = { routing: { ...TO, except: [] }, hairpin: HAIRPIN };

/** A host with foreign things on it; afterwards they, and nothing else, must be there. */
export function ringsTest(
  title: string,
  body: (t: ExecutionContext, host: RingsHost, folder: string) => Promise<void>,
): void {
  netTest(title, ['ethtool', 'ping'], async ({ t, folder }) => {
    const network = await Network.build(HOST);
    try {
      const host = new RingsHost(network, 'ue');
      await host.sh(FOREIGN);
      const before = await host.state();
      const ruleset = await host.run('nft', 'list', 'ruleset');
      await body(t, host, folder);
      t.deepEqual(await host.state(), before);
      t.is(await host.run('nft', 'list', 'ruleset'), ruleset);
    } finally {
      await network.destroy();
    }
  });
}
