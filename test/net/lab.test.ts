/** The lab itself: what its networks let through, and that nothing of them is left behind. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { readCapture } from '../../io/pcap/read.ts';
import { CaptureRun } from '../../lab/capture.ts';
import { LabError } from '../../lab/lab-error.ts';
import { Network } from '../../lab/network.ts';
import { Program } from '../../lab/program.ts';
import { blackhole, END_OF_BLACKHOLE } from '../../lab/rulesets.ts';
import {
  type Both,
  PROXY_PORTS,
  SITE_KINDS,
  type Site,
  type SiteKind,
  siteOf,
} from '../../lab/sites.ts';
import { sweepDeadRuns } from '../../lab/sweep.ts';
import { netTest } from './net-test.ts';
import { nodeProgram } from './programs.ts';
import { namespacesOfThisRun, stateOfAll } from './traces.ts';
import { until } from './until.ts';

const ECHO_PORT = 7000;
const TCP_PORTS = [80, 443, 5060, 8080];

/** Which of the TCP ports of the server can be reached from the phone, and does UDP reach the core? */
const PASSES: Readonly<
  Record<SiteKind, { readonly tcp: readonly number[]; readonly udp: boolean }>
> = {
  open: { tcp: [80, 443, 5060, 8080], udp: true },
  'double-nat': { tcp: [80, 443, 5060, 8080], udp: true },
  'udp-blocked': { tcp: [80, 443, 5060, 8080], udp: false },
  'web-only': { tcp: [80, 443], udp: false },
  '443-only': { tcp: [443], udp: false },
  'sip-blocked': { tcp: [80, 443, 8080], udp: true },
  'proxy-only': { tcp: [], udp: false },
  'two-firewalls': { tcp: [80, 443], udp: false },
};

for (const kind of SITE_KINDS) {
  netTest(
    `a lab that is ${kind} passes what it should, IPv4 and IPv6, and nothing else`,
    [],
    async ({ t }) => {
      const site = siteOf(kind);
      const network = await Network.build(site.topology);
      try {
        await openPorts(network, site);
        await Promise.all(
          (['v4', 'v6'] as const).map((family) => checkPassage(t, network, kind, site, family)),
        );
      } finally {
        await network.destroy();
      }
    },
  );
}

netTest('a capture has every packet that passed, in order', ['tcpdump'], async ({ t, folder }) => {
  const site = siteOf('open');
  const network = await Network.build(site.topology);
  try {
    const file = join(folder, 'gateway.pcap');
    const filter = `udp dst port ${ECHO_PORT}`;
    const capture = await CaptureRun.start(network, {
      host: 'gateway',
      interface: 'net',
      file,
      filter,
    });
    await network.start('gateway', {
      ...nodeProgram('echo-main.js', '::', String(ECHO_PORT)),
      ready: { output: /ready/ },
    });
    t.true(await probe(network, 'udp', site.gateway.v4, ECHO_PORT));
    await capture.stop();
    let packets = 0;
    for await (const batch of readCapture(file)) packets += batch.length;
    t.true(packets > 0);
  } finally {
    await network.destroy();
  }
});

netTest('what a network needs is removed when building it fails half-way', [], async ({ t }) => {
  const { topology } = siteOf('open');
  const broken = topology.hosts.map((host) =>
    host.name === 'gateway' ? { ...host, ruleset: 'no ruleset' } : host,
  );
  const error = await t.throwsAsync(Network.build({ ...topology, hosts: broken }), {
    instanceOf: LabError,
  });
  t.regex(error.message, /nft -f - ended with 1: .*syntax error/s);
  t.deepEqual(namespacesOfThisRun(), []);
});

netTest(
  'a lab whose process was killed is removed by the next one, with its processes',
  [],
  async ({ t }) => {
    const victim = await Program.start({
      ...nodeProgram('victim-main.js'),
      ready: { output: /built (\S+) [0-9]+/ },
    });
    const [, namespace = '', pid = ''] = await victim.said(/built (\S+) ([0-9]+)/);
    t.deepEqual(
      sweepDeadRuns().filter((name) => name === namespace),
      [],
      'it is alive',
    );
    t.true(isRunning(pid), 'and so is what runs in it');
    await victim.stop('SIGKILL');
    t.true(sweepDeadRuns().includes(namespace));
    await until(() => !isRunning(pid));
  },
);

netTest('a lab whose process ends without destroying it is removed then', [], async ({ t }) => {
  const victim = await Program.start({
    ...nodeProgram('victim-main.js'),
    ready: { output: /built/ },
    takesInput: true,
  });
  victim.write('end\n');
  await victim.exited;
  t.deepEqual(sweepDeadRuns(), []);
});

netTest('a router can lose everything for a while', [], async ({ t }) => {
  const site = siteOf('open');
  const network = await Network.build(site.topology);
  try {
    await openPorts(network, site);
    await network.run('nat', 'nft', ['-f', '-'], blackhole());
    t.false(await probe(network, 'udp', site.gateway.v4, ECHO_PORT));
    await network.run('nat', 'nft', ['-f', '-'], END_OF_BLACKHOLE);
    t.true(await probe(network, 'udp', site.gateway.v4, ECHO_PORT));
  } finally {
    await network.destroy();
  }
});

netTest('two labs stand side by side; removing one leaves the other', [], async ({ t }) => {
  const site = siteOf('open');
  const one = await Network.build(site.topology);
  const two = await Network.build(site.topology);
  try {
    const before = await stateOfAll(two);
    await one.destroy();
    t.deepEqual(await stateOfAll(two), before);
  } finally {
    await one.destroy();
    await two.destroy();
  }
});

async function checkPassage(
  t: ExecutionContext,
  network: Network,
  kind: SiteKind,
  { server, gateway, proxy }: Site,
  family: keyof Both,
): Promise<void> {
  const [udp, ...tcp] = await Promise.all([
    probe(network, 'udp', gateway[family], ECHO_PORT),
    ...TCP_PORTS.map((port) => probe(network, 'tcp', server[family], port)),
  ]);
  t.deepEqual(
    TCP_PORTS.filter((_, i) => tcp[i]),
    PASSES[kind].tcp,
    family,
  );
  t.is(udp, PASSES[kind].udp, family);
  if (proxy === undefined) return;
  for (const port of PROXY_PORTS) t.true(await probe(network, 'tcp', proxy[family], port));
}

async function openPorts(network: Network, { gateway, proxy }: Site): Promise<void> {
  const ready = { output: /ready/ };
  await network.start('gateway', {
    ...nodeProgram('echo-main.js', gateway.v4, String(ECHO_PORT)),
    ready,
  });
  await network.start('gateway', {
    ...nodeProgram('echo-main.js', gateway.v6, String(ECHO_PORT)),
    ready,
  });
  await network.start('server', {
    ...nodeProgram('listen-main.js', ...TCP_PORTS.map(String)),
    ready,
  });
  if (proxy === undefined) return;
  await network.start('proxy', {
    ...nodeProgram('listen-main.js', ...PROXY_PORTS.map(String)),
    ready,
  });
}

async function probe(
  network: Network,
  protocol: 'udp' | 'tcp',
  address: string,
  port: number,
): Promise<boolean> {
  const { command, args } = nodeProgram('probe-main.js', protocol, address, String(port));
  return (await network.run('ue', command, args)).trim() === 'reached';
}

/** What has ended may be kept by the system until somebody asks for it. */
function isRunning(pid: string): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
