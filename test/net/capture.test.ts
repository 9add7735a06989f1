/** `tep capture` with the real libpcap on real interfaces. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { readCapture } from '../../io/pcap/read.ts';
import { Network } from '../../lab/network.ts';
import type { Program } from '../../lab/program.ts';
import type { Topology } from '../../lab/topology.ts';
import { Talker } from './media/talker.ts';
import { netTest } from './net-test.ts';
import { until } from './until.ts';

const BIN = fileURLToPath(new URL('../../cli/tep.js', import.meta.url));
const ADDON = fileURLToPath(
  new URL('../../../node_modules/cap/build/Release/cap.node', import.meta.url),
);

const PACKETS = 50;

const TOPOLOGY: Topology = {
  hosts: [{ name: 'one' }, { name: 'two' }],
  links: [
    {
      ends: [
        { host: 'one', name: 'net', addresses: ['10.0.0.1/24', '2001:db8:9::1/64'] },
        { host: 'two', name: 'net', addresses: ['10.0.0.2/24', '2001:db8:9::2/64'] },
      ],
    },
  ],
};

type Body = Parameters<typeof netTest>[2];

function captureTest(
  title: string,
  body: (network: Network, ...context: Parameters<Body>) => Promise<void>,
) {
  if (!existsSync(ADDON)) {
    test.skip(`${title} (cap is not built here)`, () => {});
    return;
  }
  netTest(title, [], async (context) => {
    const network = await Network.build(TOPOLOGY);
    try {
      await body(network, context);
    } finally {
      await network.destroy();
    }
  });
}

function start(network: Network, ...args: readonly string[]): Promise<Program> {
  return network.start('one', {
    name: 'tep capture',
    command: process.execPath,
    args: [BIN, 'capture', ...args],
    ready: { output: /capturing on / },
  });
}

function ping(network: Network, count: number, address = '10.0.0.2'): Promise<string> {
  return network.run('one', 'ping', ['-q', '-c', String(count), '-i', '0.05', address]);
}

async function packetsIn(file: string): Promise<number> {
  let count = 0;
  const capture = readCapture(file);
  for await (const batch of capture) count += batch.length;
  return capture.fault === undefined ? count : -1;
}

captureTest('a filter, both families, and an end by --count', async (network, { t, folder }) => {
  const file = join(folder, 'six.pcap');
  const program = await start(
    network,
    '-i',
    'net',
    '-w',
    file,
    '--filter',
    'icmp6[0] >= 128 and icmp6[0] <= 129',
    '--count',
    '6',
  );
  await ping(network, 2);
  await ping(network, 3, '2001:db8:9::2');
  t.is((await program.exited).code, 0);
  t.is(await packetsIn(file), 6);
});

captureTest(
  'SIGINT and SIGTERM end it with all that was sent before',
  async (network, { t, folder }) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const file = join(folder, `${signal}.pcap`);
      const program = await start(network, '-i', 'any', '-w', file, '--filter', 'icmp');
      await ping(network, 5);
      program.signal(signal);
      t.is((await program.exited).code, 0, program.output);
      t.regex(program.output, /\n10 packets, /);
      t.is(await packetsIn(file), 10);
    }
  },
);

for (const [how, command, text] of [
  ['goes down', 'set net down', /interface net went down; what was captured until then is kept/],
  ['is removed', 'del net', /interface net is gone; what was captured until then is kept/],
] as const) {
  captureTest(
    `an interface that ${how}: told, and the file is kept`,
    async (network, { t, folder }) => {
      const file = join(folder, 'kept.pcap');
      const program = await start(network, '-i', 'net', '-w', file, '--filter', 'icmp');
      await ping(network, 4);
      await network.run('one', 'ip', ['link', ...command.split(' ')]);
      t.is((await program.exited).code, 1);
      t.regex(program.output, text);
      t.is(await packetsIn(file), 8);
    },
  );
}

captureTest('what cannot be captured is told in one line', async (network, { t, folder }) => {
  const refused = async (...args: readonly string[]) => {
    const file = join(folder, 'never.pcap');
    const program = await network.start('one', {
      command: process.execPath,
      args: [BIN, 'capture', '-w', file, ...args],
    });
    t.is((await program.exited).code, 1);
    t.false(existsSync(file));
    return program.output;
  };
  t.is(await refused('-i', 'none'), 'tep: there is no interface none\n');
  t.regex(
    await refused('-i', 'net', '--filter', 'udp prot 5'),
    /^tep: net, filter "udp prot 5": .*syntax error\n$/,
  );
  await network.run('one', 'ip', ['link', 'set', 'net', 'down']);
  t.is(await refused('-i', 'net'), 'tep: interface net is down: ip link set net up\n');
});

captureTest('a call that is captured replays', async (network, { t, folder }) => {
  const file = join(folder, 'call.pcap');
  const program = await start(network, '-i', 'net', '-w', file, '--filter', 'udp');
  const phone = await Talker.start(network, 'one', { address: '10.0.0.1', port: 4_000 });
  const gateway = await Talker.start(network, 'two', { address: '10.0.0.2', port: 30_000 });
  phone.talk(gateway.at, 0x75700001, PACKETS);
  gateway.talk(phone.at, 0x646e0002, PACKETS);
  await Promise.all([phone.said(), gateway.said()]);
  await until(async () => ((await phone.heard(0x646e0002))?.packets ?? 0) === PACKETS);
  program.signal('SIGINT');
  t.is((await program.exited).code, 0);
  const args = [BIN, 'replay', '--ue', '10.0.0.1', '--json', file];
  const replayed = JSON.parse(await network.run('one', process.execPath, args));
  t.like(replayed, { ok: true, carried: 2 * PACKETS });
});
