/** The packet port `rings` on a host of its own: what passes it, with real programs on both sides. */
import { readFile } from 'node:fs/promises';
import { FAMILIES, OPTIONS, ringsTest } from './rings-case.ts';
import { close, counters, tell } from './rings-host.ts';
import { until } from './until.ts';

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

/** AF_XDP locks memory, and here none may be locked. */
const NO_LOCKS = ['prlimit', '--memlock=0', 'setpriv', '--bounding-set=-ipc_lock'];

ringsTest('what is sent goes by AF_XDP, and without it all the same', async (t, host) => {
  for (const [words, rings] of [
    [[], 3],
    [NO_LOCKS, 1],
  ] as const) {
    const port = await host.openBy(words, OPTIONS);
    const maps = await readFile(`/proc/${port.pid}/maps`, 'utf8');
    t.is(maps.match(/ socket:/g)?.length, rings);
    for (const { caller, name, callee } of FAMILIES) {
      t.is(await host.talk('udp', caller, name, callee, '172', '20'), '3440 octets came back\n');
    }
    const { dropped, sent, packets } = await counters(port);
    t.deepEqual(dropped, {});
    t.is(sent, packets);
    await close(port);
  }
});

ringsTest('packets of 65,535 octets pass whole, both families', async (t, host) => {
  const port = await host.open(OPTIONS);
  for (const { caller, name, callee, header } of FAMILIES) {
    const length = 65_535 - header;
    const octets = `${length * 5} octets came back\n`;
    t.is(await host.talk('udp', caller, name, callee, String(length), '5'), octets);
    // Around the lengths of a slot and of a chunk, where the way of a packet changes.
    for (const each of [1_900, 1_960, 1_986, 1_987, 2_000, 2_006, 2_007, 2_048]) {
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
