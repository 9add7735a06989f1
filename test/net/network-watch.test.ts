/** Changes of a real network, as the kernel tells them. */
import type { NetworkChange } from '../../io/network/network-state.ts';
import { Network } from '../../lab/network.ts';
import type { Topology } from '../../lab/topology.ts';
import { netTest } from './net-test.ts';
import { nodeProgram } from './programs.ts';
import { until } from './until.ts';

const TOPOLOGY: Topology = {
  hosts: [
    { name: 'ue', routes: ['default via 192.0.2.1'] },
    { name: 'router', isRouter: true },
  ],
  links: [
    {
      ends: [
        { host: 'ue', name: 'net', addresses: ['192.0.2.2/24', '2001:db8::2/64'] },
        { host: 'router', name: 'ue', addresses: ['192.0.2.1/24', '2001:db8::1/64'] },
      ],
    },
  ],
};

const NOTHING: NetworkChange = {
  linksUp: [],
  linksDown: [],
  addressesNew: [],
  addressesGone: [],
  defaultRoute: false,
};

/** A command on a host, and what the UE is to be told of it; nothing where it is none of its business. */
const STORY: ReadonlyArray<readonly [host: string, command: string, Partial<NetworkChange>?]> = [
  ['ue', 'addr add 192.0.2.77/24 dev net', { addressesNew: ['192.0.2.77'] }],
  ['ue', 'route replace default via 192.0.2.1 src 192.0.2.77 metric 5', { defaultRoute: true }],
  ['ue', 'route add 198.51.100.0/24 via 192.0.2.1'],
  ['ue', 'link add tep0 type veth peer name tep0p'],
  ['ue', 'link set tep0 up'],
  // The other end of the cable.
  ['router', 'link set ue down', { linksDown: ['net'], defaultRoute: true }],
  ['router', 'link set ue up', { linksUp: ['net'], defaultRoute: true }],
  ['ue', 'addr del 2001:db8::2/64 dev net', { addressesGone: ['2001:db8::2'] }],
  ['ue', 'link set net down', { linksDown: ['net'], defaultRoute: true }],
];

netTest('[G-13] each change of the network is told once, with what changed', [], async ({ t }) => {
  const network = await Network.build(TOPOLOGY);
  try {
    const watch = await network.start('ue', {
      ...nodeProgram('network-watch-main.js'),
      ready: { output: /ready/ },
    });
    const expected: NetworkChange[] = [];
    for (const [host, command, told] of STORY) {
      await network.run(host, 'ip', command.split(' '));
      if (told === undefined) continue;
      expected.push({ ...NOTHING, ...told });
      await watch.said(new RegExp(`ready\\n(?:.+\\n){${expected.length}}`));
    }
    const lines = watch.output.trim().split('\n').slice(1);
    t.deepEqual(
      lines.map((line) => JSON.parse(line)),
      expected,
    );
  } finally {
    await network.destroy();
  }
});

netTest('[G-13] without netlink, addresses that come and go are seen', [], async ({ t }) => {
  const network = await Network.build(TOPOLOGY);
  try {
    const watch = await network.start('ue', {
      ...nodeProgram('network-watch-main.js', 'polling'),
      ready: { output: /ready/ },
    });
    await network.run('ue', 'ip', ['addr', 'add', '192.0.2.77/24', 'dev', 'net']);
    await watch.said(/"addressesNew":\["192\.0\.2\.77"\]/);
    await network.run('ue', 'ip', ['addr', 'del', '192.0.2.77/24', 'dev', 'net']);
    const [line = ''] = await watch.said(/\{.*"addressesGone":\["192\.0\.2\.77"\].*\}/);
    t.deepEqual(JSON.parse(line), { ...NOTHING, addressesGone: ['192.0.2.77'] });
  } finally {
    await network.destroy();
  }
});

const MANY = 4_000;

netTest(
  '[G-13] more changes at once than the kernel keeps for us: all are told',
  [],
  async ({ t }) => {
    const network = await Network.build(TOPOLOGY);
    try {
      const watch = await network.start('ue', {
        ...nodeProgram('network-watch-main.js'),
        ready: { output: /ready/ },
      });
      const addresses = Array.from({ length: MANY }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
      const batch = addresses.map((address) => `addr add ${address}/32 dev net`).join('\n');
      process.kill(watch.pid, 'SIGSTOP');
      await network.run('ue', 'ip', ['-batch', '-'], batch);
      process.kill(watch.pid, 'SIGCONT');
      const told = () => watch.output.trim().split('\n').slice(1);
      await until(() => told().flatMap((line) => JSON.parse(line).addressesNew).length === MANY);
      await network.run('ue', 'ip', ['addr', 'del', '10.0.0.7/32', 'dev', 'net']);
      await watch.said(/"addressesGone":\["10\.0\.0\.7"\]/);
      t.pass();
    } finally {
      await network.destroy();
    }
  },
);
