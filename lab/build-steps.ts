/**
 * What has to be run to build a topology. Pure: a topology goes in, calls of `ip`, `sysctl`, `nft` and
 * `ethtool` come out, in stages; the calls of one stage can run at the same time.
 */
import type { ToolCall } from './tool.ts';
import { endsOf, type Host, type Link, type LinkEnd, type Topology } from './topology.ts';

/** The namespace of a host. */
export type NamespaceOf = (host: string) => string;

const OFFLOADS = ['tx', 'rx', 'tso', 'gso', 'gro'];

export function buildSteps(topology: Topology, namespaceOf: NamespaceOf): ToolCall[][] {
  const { hosts, links } = topology;
  return [
    [ipBatch(hosts.map(({ name }) => `netns add ${namespaceOf(name)}`))],
    hosts.map((host) => kernelSettings(host, namespaceOf)),
    [ipBatch(links.map((link) => addLink(link, namespaceOf)))],
    links.filter(({ offloads }) => offloads === 'off').flatMap((l) => offloadsOff(l, namespaceOf)),
    hosts.map((host) => configure(host, endsOf(topology, host.name), namespaceOf)),
    hosts.flatMap((host) => loadRuleset(host, namespaceOf)),
  ];
}

/** For the command line of a program that is to run on a host. */
export function inNamespace(namespace: string, command: string, args: readonly string[]): string[] {
  return ['netns', 'exec', namespace, command, ...args];
}

/**
 * /etc/hosts of a host; `ip netns exec` puts it in the place of the machine's own. `machine` is what this
 * machine calls itself: programs look that up, and would ask DNS in the network of the lab.
 */
export function hostsFile(host: Host, machine: string): string {
  const named = Object.entries(host.names ?? {}).flatMap(([name, addresses]) =>
    addresses.map((address) => `${address} ${name}\n`),
  );
  return [`127.0.0.1 localhost ${machine}\n`, '::1 localhost\n', ...named].join('');
}

function ipBatch(lines: readonly string[], namespace?: string): ToolCall {
  const where = namespace === undefined ? [] : ['-n', namespace];
  return { program: 'ip', args: [...where, '-batch', '-'], input: `${lines.join('\n')}\n` };
}

/** Before there are interfaces: addresses are usable at once, without looking for duplicates. */
function kernelSettings(host: Host, namespaceOf: NamespaceOf): ToolCall {
  const forwarding = host.isRouter ? '1' : '0';
  const settings = [
    'net.ipv6.conf.all.accept_dad=0',
    'net.ipv6.conf.default.accept_dad=0',
    'net.ipv6.conf.default.accept_ra=0',
    `net.ipv4.ip_forward=${forwarding}`,
    `net.ipv6.conf.all.forwarding=${forwarding}`,
  ];
  const args = inNamespace(namespaceOf(host.name), 'sysctl', ['-q', '-w', ...settings]);
  return { program: 'ip', args };
}

function addLink({ ends: [a, b], mtu }: Link, namespaceOf: NamespaceOf): string {
  const end = ({ name, host }: LinkEnd) => {
    const size = mtu === undefined ? '' : ` mtu ${mtu}`;
    return `name ${name} netns ${namespaceOf(host)}${size}`;
  };
  return `link add ${end(a)} type veth peer ${end(b)}`;
}

function offloadsOff(link: Link, namespaceOf: NamespaceOf): ToolCall[] {
  const features = OFFLOADS.flatMap((feature) => [feature, 'off']);
  return link.ends.map(({ host, name }) => ({
    program: 'ip',
    args: inNamespace(namespaceOf(host), 'ethtool', ['-K', name, ...features]),
  }));
}

function configure(host: Host, ends: readonly LinkEnd[], namespaceOf: NamespaceOf): ToolCall {
  const lines = ['link set lo up'];
  for (const { name, addresses } of ends) {
    for (const address of addresses) lines.push(addressLine(address, name));
    lines.push(`link set ${name} up`);
  }
  for (const route of host.routes ?? []) lines.push(`route add ${route}`);
  return ipBatch(lines, namespaceOf(host.name));
}

function addressLine(address: string, name: string): string {
  return address.includes(':')
    ? `addr add ${address} dev ${name} nodad`
    : `addr add ${address} dev ${name}`;
}

function loadRuleset({ name, ruleset }: Host, namespaceOf: NamespaceOf): ToolCall[] {
  if (ruleset === undefined) return [];
  const args = inNamespace(namespaceOf(name), 'nft', ['-f', '-']);
  return [{ program: 'ip', args, input: ruleset }];
}
