/**
 * What the packet port `rings` needs of kernel and privileges. Features are tried out in a network
 * namespace of their own, which is gone with the program that had it: nothing of the host is touched.
 */
import { type Finding, Findings } from './finding.ts';
import type { Machine } from './machine.ts';

interface Feature {
  readonly name: string;
  readonly tried: readonly string[];
  readonly todo: string;
}

const FEATURES: readonly Feature[] = [
  {
    name: 'pairs of interfaces (veth)',
    tried: ['ip', 'link', 'add', 'tepa', 'type', 'veth', 'peer', 'name', 'tepb'],
    todo: 'load the kernel module veth (CONFIG_VETH)',
  },
  {
    name: 'policy routing by protocol',
    tried: ['ip', 'rule', 'add', 'to', '192.0.2.0/24', 'ipproto', '17', 'table', '99'],
    todo: 'a kernel from 4.17 with CONFIG_IP_MULTIPLE_TABLES and a current iproute2',
  },
  {
    name: 'nftables',
    tried: ['nft', 'add', 'table', 'inet', 'tep'],
    todo: 'install nftables and load the kernel module nf_tables',
  },
];

const PACKAGES = { ip: 'iproute2', nft: 'nftables', unshare: 'util-linux' } as const;

/** `nft` is needed by `reflexive` addresses only. */
export async function kernelFindings(
  machine: Machine,
  uid: number,
  needsNft: boolean,
): Promise<Finding[]> {
  const findings = new Findings('kernel');
  packetSockets(machine, findings);
  const features = FEATURES.filter(({ tried }) => needsNft || tried[0] !== 'nft');
  // Without root, one's own user namespace gives the right to a network namespace, where it is allowed.
  const apart = uid === 0 ? ['--net'] : ['--map-root-user', '--user', '--net'];
  const allowed = await machine.run('unshare', ...apart, 'true');
  if (allowed.code !== 0) {
    findings.warning(
      'veth, policy routing and nftables cannot be tried out by this user',
      'run tep doctor as root',
    );
    return findings.list;
  }
  for (const { name, tried, todo } of features) {
    const { code, stderr } = await machine.run('unshare', ...apart, ...tried);
    const why = stderr.trim().split('\n', 1).join('');
    const [program = ''] = tried;
    if (code === 0) findings.ok(name);
    else if (/No such file or directory/.test(why) && why.startsWith('unshare')) {
      findings.problem(`${name}: the program ${program} is not there`, install(program));
    } else findings.problem(`${name}: ${why}`, todo);
  }
  return findings.list;
}

function packetSockets(machine: Machine, findings: Findings): void {
  if (machine.read('/proc/net/packet') !== undefined) findings.ok('packet sockets (AF_PACKET)');
  else {
    findings.problem(
      'packet sockets (AF_PACKET) are not there',
      'load the kernel module af_packet (CONFIG_PACKET)',
    );
  }
}

function install(program: string): string {
  return `install ${program === 'ip' || program === 'nft' ? PACKAGES[program] : program}`;
}

/** Packets that come out of the tunnel for another host are forwarded by the kernel, or not at all. */
export function forwardingFindings(machine: Machine, families: ReadonlySet<4 | 6>): Finding[] {
  const findings = new Findings('forwarding');
  const settings = { 4: 'net.ipv4.ip_forward', 6: 'net.ipv6.conf.all.forwarding' } as const;
  for (const family of families) {
    const name = settings[family];
    const value = machine.read(`/proc/sys/${name.replaceAll('.', '/')}`);
    if (value === '1') findings.ok(`IPv${family} packets for other hosts are forwarded`);
    else {
      findings.problem(
        `${name} is ${value ?? 'not there'}: media gateways on other hosts will get nothing`,
        `sysctl -w ${name}=1, and in /etc/sysctl.d to stay`,
      );
    }
  }
  return findings.list;
}

/** The interface of our own asks for loose checks, where the host checks at all. */
export function sourceFilterFindings(machine: Machine): Finding[] {
  const findings = new Findings('rp_filter');
  const value = machine.read('/proc/sys/net/ipv4/conf/all/rp_filter');
  if (value === undefined) {
    findings.warning('rp_filter cannot be read', 'run tep doctor where the agent runs');
  } else if (value === '1') {
    findings.ok('rp_filter is strict; the interface of tep is set to loose (2), which is enough');
  } else findings.ok(`rp_filter is ${value === '0' ? 'off' : 'loose'}`);
  return findings.list;
}
