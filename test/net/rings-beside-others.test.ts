/** The packet port `rings` beside what others have, and do, on its host. */
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { nodeProgram } from './programs.ts';
import { OPTIONS, ringsTest } from './rings-case.ts';
import { close } from './rings-host.ts';
import { until } from './until.ts';

const NOBODY = 65_534;

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
