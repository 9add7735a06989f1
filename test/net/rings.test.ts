/** The packet port `rings` on a host of its own, with real programs on both sides. */
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ExecutionContext } from 'ava';
import { Network } from '../../lab/network.ts';
import type { Topology } from '../../lab/topology.ts';
import { netTest } from './net-test.ts';
import { nodeProgram } from './programs.ts';
import { close, counters, RingsHost, tell } from './rings-host.ts';
import { until } from './until.ts';

/** Everything is on one host: the programs, the port, and addresses that exist nowhere. */
const HOST: Topology = { hosts: [{ name: 'ue' }], links: [] };

const NOBODY = 65_534;

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
const FAMILIES = [
  { family: 'IPv4', caller: '10.1.1.1', name: '203.0.113.9', callee: '10.1.1.2', header: 28 },
  { family: 'IPv6', caller: 'fd00::1', name: '2001:db8::9', callee: 'fd00::2', header: 48 },
] as const;
const HAIRPIN = ['203.0.113.9', '10.1.1.1', '203.0.113.77', '10.1.1.2'].concat([
  '2001:db8::9',
  'fd00::1',
  '2001:db8::77',
  'fd00::2',
]);
const OPTIONS = { routing: { ...TO, except: [] }, hairpin: HAIRPIN };

/** A host with foreign things on it; afterwards they, and nothing else, must be there. */
function ringsTest(
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

ringsTest(
  'what the port sends goes up the host together, within a tenth of a millisecond',
  async (t, host) => {
    const port = await host.open(OPTIONS);
    const settings = await host.sh(
      'cd /sys/class/net/tep0; cat gro_flush_timeout napi_defer_hard_irqs',
    );
    t.is(settings, '100000\n1\n');
    t.regex(await host.run('ethtool', '-k', 'tep0'), /^generic-receive-offload: on$/m);
    t.regex(await host.run('ethtool', '-k', 'tep0p'), /tx-tcp-segmentation: off/);
    await close(port);
  },
);

ringsTest(
  'ping, UDP and TCP of real programs pass, both families, and nothing is left',
  async (t, host) => {
    const port = await host.open(OPTIONS);
    for (const { caller, name, callee } of FAMILIES) {
      await host.run('ping', '-c', '2', '-i', '0.2', '-I', caller, name);
      t.is(await host.talk('udp', caller, name, callee, '172', '20'), '3440 octets came back\n');
      t.is(
        await host.talk('tcp', caller, name, callee, '65536', '40'),
        '2621440 octets came back\n',
      );
    }
    const { dropped, unfinished, received, sent, packets } = await counters(port);
    t.deepEqual(dropped, {});
    t.is(unfinished, 0);
    t.is(received, packets);
    t.is(sent, packets);
    await close(port);
  },
);

ringsTest(
  'a host that checks reverse paths strictly, and programs that choose no source',
  async (t, host) => {
    await host.sh('sysctl -qw net.ipv4.conf.all.rp_filter=1');
    const port = await host.open(OPTIONS);
    await host.run('ping', '-c', '1', '203.0.113.9');
    await host.run('ping', '-c', '1', '2001:db8::9');
    t.regex(await host.run('ip', 'route', 'get', '203.0.113.9'), / src 10\.1\.1\.1 /);
    await close(port);
  },
);

ringsTest('packets of 65,535 octets pass whole, both families', async (t, host) => {
  const port = await host.open(OPTIONS);
  for (const { caller, name, callee, header } of FAMILIES) {
    const length = 65_535 - header;
    const octets = `${length * 5} octets came back\n`;
    t.is(await host.talk('udp', caller, name, callee, String(length), '5'), octets);
    // Around the length of a slot, where the way of a packet changes.
    for (const each of [1_900, 1_960, 2_000, 2_048]) {
      const some = `${each * 2} octets came back\n`;
      t.is(await host.talk('udp', caller, name, callee, String(each), '2'), some);
    }
  }
  t.is((await counters(port)).longest, 65_535);
  t.deepEqual((await counters(port)).dropped, {});
  await close(port);
});

ringsTest('checksums that the host leaves unfinished are finished right', async (t, host) => {
  const port = await host.open(OPTIONS);
  await host.run('ethtool', '-K', 'tep0', 'tx', 'on');
  for (const { caller, name, callee } of FAMILIES) {
    await host.talk('udp', caller, name, callee, '172', '5');
    await host.talk('tcp', caller, name, callee, '5000', '5');
    // To a port that nobody has: the kernel answers with an ICMP error.
    const send = `const s=require('dgram').createSocket('${name.includes(':') ? 'udp6' : 'udp4'}');
      s.bind(0,'${caller}',()=>s.send('x',10,'${name}',()=>s.close()))`;
    await host.run(process.execPath, '-e', send);
  }
  await until(async () => (await counters(port)).errors === 2);
  const { unfinished, wrong } = await counters(port);
  t.true(unfinished > 0);
  t.is(wrong, 0);
  await close(port);
});

ringsTest('packets that several segments make together come as segments', async (t, host) => {
  const port = await host.open(OPTIONS);
  // What the port turns off, somebody turns on again.
  await host.run('ethtool', '-K', 'tep0', 'tx', 'on', 'sg', 'on', 'tso', 'on', 'gso', 'on');
  const [first] = FAMILIES;
  await host.talk('tcp', first.caller, first.name, first.callee, '65536', '40');
  const { longest, wrong } = await counters(port);
  // What the route advertises, and the headers: longer options than that TCP has not.
  t.true(longest <= 1_360 + 20 + 20 + 40, String(longest));
  t.is(wrong, 0);
  await close(port);
});

ringsTest(
  'a port that was killed is replaced by the next one, which leaves nothing',
  async (t, host) => {
    for (const routing of [OPTIONS.routing, { kind: 'capture' }]) {
      const first = await host.open({ ...OPTIONS, routing });
      await first.stop('SIGKILL');
      t.regex(await host.sh('ip link; ip rule'), /tep0.*lookup 7480/s);
      const second = await host.open(OPTIONS);
      await host.run('ping', '-c', '1', '-I', '10.1.1.1', '203.0.113.9');
      await close(second);
    }
  },
);

ringsTest('a second port of the same name is refused, the first goes on', async (t, host) => {
  const first = await host.open(OPTIONS);
  t.regex(await host.refused(OPTIONS), /EBUSY another tep that runs here has tep0/);
  await host.run('ping', '-c', '1', '-I', '10.1.1.1', '203.0.113.9');
  const apart = { name: 'tep1', table: 7481, priority: 7490 };
  const to = [{ prefix: '198.51.100.0/24' }];
  const second = await host.open({ ...apart, routing: { kind: 'divert', to, except: [] } });
  await host.run('ping', '-c', '1', '-I', '10.1.1.1', '198.51.100.1');
  await close(second);
  await host.run('ping', '-c', '1', '-I', '10.1.1.1', '203.0.113.9');
  await close(first);
});

ringsTest('what is in the way is named, and stays', async (t, host) => {
  const cases: [make: string, undo: string, options: object, fault: RegExp][] = [
    [
      'ip link add tep0 type bridge',
      'ip link del tep0',
      OPTIONS,
      /interface tep0 is there and not ours \(bridge\)/,
    ],
    [
      'ip link add mine type veth peer name tep0p',
      'ip link del mine',
      OPTIONS,
      /interface tep0p is there and not ours \(veth\)/,
    ],
    [
      'ip rule add priority 7481 to 192.0.2.1 lookup 77',
      'ip rule del priority 7481',
      OPTIONS,
      /priority 7481 is that of a rule which is not ours/,
    ],
    [
      'ip -6 rule add priority 7400 to 2001:db8::1 lookup 7480',
      'ip -6 rule del priority 7400',
      OPTIONS,
      /table 7480 is used by a rule which is not ours/,
    ],
    [
      'ip route add 192.0.2.0/24 dev other0 table 7480',
      'ip route del 192.0.2.0/24 dev other0 table 7480',
      OPTIONS,
      /table 7480 holds 192.0.2.0\/24 dev other0/,
    ],
    ['true', 'true', { ...OPTIONS, mark: 0x20 }, /mark 0x20 is used by a rule which is not ours/],
    ['true', 'true', { ...OPTIONS, name: 'Tep-0' }, /interface "Tep-0"/],
  ];
  for (const [make, undo, options, fault] of cases) {
    await host.sh(make);
    const before = await host.state();
    t.regex(await host.refused(options), fault);
    t.deepEqual(await host.state(), before);
    await host.sh(undo);
  }
});

ringsTest(
  'what others put beside it while it runs does not keep it from leaving',
  async (t, host) => {
    const port = await host.open(OPTIONS);
    await host.sh(`ip rule add priority 7481 to 192.0.2.1 lookup 77
    ip route add 192.0.2.0/24 dev other0 table 7480
    ip rule del priority 7481 to 203.0.113.0/24`);
    // Made again, ours stands behind the other of the same priority.
    await until(async () => /7481:.*192.0.2.1.*7481:.*203.0.113.0/s.test(await host.sh('ip rule')));
    await close(port);
    t.regex(await host.sh('ip rule'), /7481:\tfrom all to 192.0.2.1 lookup 77/);
    t.notRegex(await host.sh('ip rule; ip link'), /7480:|proto 84|tep0/);
    await host.sh(`ip rule del priority 7481
    ip route del 192.0.2.0/24 dev other0 table 7480`);
  },
);

ringsTest(
  'two capabilities are enough; without them the fault names them',
  async (t, host, folder) => {
    // As systemd makes one for its service.
    const own = join(folder, 'run');
    mkdirSync(own);
    chownSync(own, NOBODY, NOBODY);
    const asNobody = (...capabilities: readonly string[]) => {
      const list = capabilities.map((name) => `,+${name}`).join('');
      const { command, args } = nodeProgram('rings-main.js', JSON.stringify(OPTIONS));
      return host.network.start('ue', {
        command: 'setpriv',
        args: [
          ...[`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
          ...['--inh-caps', `-all${list}`, '--ambient-caps', `-all${list}`],
          ...['--bounding-set', `-all${list}`, command, ...args],
        ],
        env: { RUNTIME_DIRECTORY: own },
        takesInput: true,
      });
    };
    const port = await asNobody('net_admin', 'net_raw');
    await port.said(/^open$/m);
    await host.run('ping', '-c', '1', '-I', '10.1.1.1', '203.0.113.9');
    await close(port);
    const lacking = await asNobody('net_admin');
    await lacking.said(/^fault EPERM CAP_NET_RAW missing/m);
    t.is((await lacking.exited).code, 3);
  },
);

for (const [what, command, fault] of [
  ['taken down', 'ip link set tep0 down', /^failed ENETDOWN interface tep0 was taken down$/m],
  ['down at its far end', 'ip link set tep0p down', /^failed ENETDOWN/m],
  ['removed', 'ip link del tep0', /^failed ENODEV interface tep0 was removed$/m],
] as const) {
  ringsTest(
    `an interface that is ${what}: told, and the port can be opened again`,
    async (t, host) => {
      const port = await host.open(OPTIONS);
      await host.sh(command);
      await port.said(fault);
      t.is(port.output.match(/^failed/gm)?.length, 1);
      await close(port);
      const next = await host.open(OPTIONS);
      await host.run('ping', '-c', '1', '-I', '10.1.1.1', '203.0.113.9');
      await close(next);
    },
  );
}

ringsTest(
  'what comes while nobody looks is kept up to the ring, the rest is counted',
  async (t, host) => {
    const port = await host.open(OPTIONS);
    port.write('stall 3000\n');
    await port.said(/^stalled$/m);
    const flood = `const s=require('dgram').createSocket('udp4');let n=0;
    (function more(){if(n++===20000)return s.close();s.send('x',9,'203.0.113.200',more)})()`;
    await host.run(process.execPath, '-e', flood);
    await until(async () => {
      const { received, dropped } = await counters(port);
      return received + (dropped['ring-overrun'] ?? 0) === 20_000;
    });
    t.is((await counters(port)).received, 8_192);
    await close(port);
  },
);

ringsTest('rules and routes that a network manager removes are made again', async (t, host) => {
  const port = await host.open(OPTIONS);
  const whole = await host.state();
  for (const damage of [
    `ip rule flush
     ip rule add priority 32766 lookup main
     ip rule add priority 32767 lookup default
     ip rule add priority 5000 fwmark 0x77 lookup 77`,
    'ip -6 rule del priority 7481; ip -6 route flush table 7480',
    'ip route flush table 7480',
    'ip -6 route flush table 7480',
  ]) {
    await host.sh(damage);
    await until(async () => isDeepStrictEqual(await host.state(), whole));
  }
  // What is compared is without fe80::1, and so without the route of IPv6.
  const routes = () => host.run('ip', '-6', 'route', 'show', 'table', '7480');
  await until(async () => (await routes()).includes('default'));
  t.is(port.output, 'open\n');
  await host.run('ping', '-c', '1', '203.0.113.9');
  await host.run('ping', '-c', '1', '2001:db8::9');
  await close(port);
});

ringsTest(
  'what goes to the port changes while it runs: wider, narrower, nothing',
  async (t, host) => {
    const to = (...prefixes: readonly object[]) => ({ kind: 'divert', to: prefixes, except: [] });
    const all = { prefix: '203.0.113.0/24' };
    const udp = { ...all, protocol: 17 };
    const some = { ...udp, ports: { first: 7000, last: 65_535 } };
    const port = await host.open({ ...OPTIONS, routing: to(some) });
    const isDiverted = async (...flow: readonly string[]) =>
      (await host.run('ip', 'route', 'get', '203.0.113.9', ...flow).catch(() => '')).includes(
        'tep0',
      );
    const reached = async () => [
      await isDiverted('ipproto', 'udp', 'dport', '7001'),
      await isDiverted('ipproto', 'udp', 'dport', '6999'),
      await isDiverted('ipproto', 'tcp', 'dport', '6999'),
    ];
    for (const [prefixes, expected] of [
      [[some], [true, false, false]],
      [[udp], [true, true, false]],
      [
        [all, some],
        [true, true, true],
      ],
      [
        [some, udp],
        [true, true, false],
      ],
      [[some], [true, false, false]],
      [[], [false, false, false]],
      [[all], [true, true, true]],
    ] as const) {
      await tell(port, `route ${JSON.stringify(to(...prefixes))}`, /^routed$/m);
      t.deepEqual(await reached(), expected, JSON.stringify(prefixes));
    }
    await close(port);
  },
);

ringsTest('the tunnel itself stays outside, and so does what no rule names', async (t, host) => {
  const to = [{ prefix: '203.0.113.0/24', protocol: 17, ports: { first: 7000, last: 7001 } }];
  const port = await host.open({
    ...OPTIONS,
    routing: { kind: 'divert', to, except: [{ prefix: '203.0.113.9/32', port: 80 }] },
  });
  const dev = async (...flow: readonly string[]) => {
    const said = await host
      .run('ip', 'route', 'get', '203.0.113.9', ...flow)
      .catch(() => 'nowhere');
    return /dev (\S+)/.exec(said)?.[1] ?? said;
  };
  t.is(await dev('ipproto', 'udp', 'dport', '7001'), 'tep0');
  t.is(await dev('ipproto', 'udp', 'dport', '7002'), 'nowhere');
  t.is(await dev('ipproto', 'icmp'), 'tep0');
  t.is(await dev('ipproto', 'tcp', 'dport', '7001'), 'nowhere');
  t.is(await dev('ipproto', 'tcp', 'dport', '80'), 'nowhere');
  await close(port);
});
