/** The packet port `rings` as TEP-S has it: beside a media gateway, on the way, or on the same host. */
import type { ExecutionContext } from 'ava';
import { Network } from '../../lab/network.ts';
import type { Topology } from '../../lab/topology.ts';
import { netTest } from './net-test.ts';
import { close, counters, RingsHost, tell } from './rings-host.ts';
import { until } from './until.ts';

/** The core's router between the Internet, where public addresses are, and a media gateway. */
const CORE: Topology = {
  hosts: [
    {
      name: 'core',
      isRouter: true,
      routes: ['default via 192.0.2.2', 'default via 2001:db8:9::2'],
    },
    { name: 'internet' },
    {
      name: 'gateway',
      routes: ['default via 198.51.100.1', 'default via 2001:db8:1::1'],
    },
  ],
  links: [
    {
      ends: [
        { host: 'core', name: 'wan', addresses: ['192.0.2.1/24', '2001:db8:9::1/64'] },
        { host: 'internet', name: 'net', addresses: ['192.0.2.2/24', '2001:db8:9::2/64'] },
      ],
    },
    {
      ends: [
        { host: 'core', name: 'lan', addresses: ['198.51.100.1/24', '2001:db8:1::1/64'] },
        { host: 'gateway', name: 'net', addresses: ['198.51.100.2/24', '2001:db8:1::2/64'] },
      ],
    },
  ],
};

const FAMILIES = [
  {
    family: 'IPv4',
    phone: '203.0.113.50:4000',
    phoneAddress: '203.0.113.50',
    otherPort: '203.0.113.50:4002',
    gateway: '198.51.100.2:9',
    far: '198.51.100.9:9',
  },
  {
    family: 'IPv6',
    phone: '[2001:db8:2::50]:4000',
    phoneAddress: '2001:db8:2::50',
    otherPort: '[2001:db8:2::50]:4002',
    gateway: '[2001:db8:1::2]:9',
    far: '[2001:db8:1::2]:9',
  },
] as const;

const CAPTURE = { routing: { kind: 'capture' }, echo: true };

/** How long an answer may take that must come, and how long one is waited for that must not. */
const COMES_MS = 20_000;
const COMES_NOT_MS = 700;

/** Whether a datagram from `host` to the address comes back, as by the echo of the port. */
async function isAnswered(
  host: RingsHost,
  [address, port, length = 1]: Asked,
  withinMs: number,
): Promise<boolean> {
  const type = address.includes(':') ? 'udp6' : 'udp4';
  const asks = `const s=require('dgram').createSocket('${type}');
    const ask=()=>s.send(Buffer.alloc(${length}),${port},'${address}',()=>{});
    s.on('message',()=>{console.log('yes');process.exit()}).on('error',()=>{});
    ask();setInterval(ask,100);setTimeout(()=>{console.log('no');process.exit()},${withinMs})`;
  return (await host.run(process.execPath, '-e', asks)) === 'yes\n';
}

type Asked = readonly [address: string, port: number, length?: number];

function answers(host: RingsHost, ...asked: Asked): Promise<boolean> {
  return isAnswered(host, asked, COMES_MS);
}

async function isSilent(host: RingsHost, ...asked: Asked): Promise<boolean> {
  return !(await isAnswered(host, asked, COMES_NOT_MS));
}

function coreTest(
  title: string,
  body: (t: ExecutionContext, core: RingsHost, gateway: RingsHost) => Promise<void>,
): void {
  netTest(title, ['ping'], async ({ t }) => {
    const network = await Network.build(CORE);
    try {
      const core = new RingsHost(network, 'core');
      const before = await core.state();
      await body(t, core, new RingsHost(network, 'gateway'));
      t.deepEqual(await core.state(), before);
    } finally {
      await network.destroy();
    }
  });
}

for (const { family, phone, phoneAddress, otherPort, gateway: closedPort } of FAMILIES) {
  coreTest(
    `[W-5] reflexive, ${family}: packets for a captured address come, its other ports do not`,
    async (t, core, gateway) => {
      const port = await core.open(CAPTURE);
      t.true(await isSilent(gateway, phoneAddress, 4000));
      await tell(port, `capture ${phone}`, /^captured/m);
      t.true(await answers(gateway, phoneAddress, 4000));
      t.true(await answers(core, phoneAddress, 4000));
      t.true(await isSilent(gateway, phoneAddress, 4001));
      // An error about a packet that came from there belongs to it, and to no other of its ports.
      await tell(port, `send ${phone} ${closedPort}`, /^sent/m);
      await until(async () => (await counters(port)).errors === 1);
      await tell(port, `send ${otherPort} ${closedPort}`, /^sent/m);
      await tell(port, `release ${phone}`, /^released/m);
      t.true(await isSilent(gateway, phoneAddress, 4000));
      t.is((await counters(port)).errors, 1);
      await close(port);
    },
  );
}

coreTest(
  '[W-5] reflexive: strict reverse path checks of the host are no obstacle',
  async (t, core, gateway) => {
    await core.sh('sysctl -qw net.ipv4.conf.all.rp_filter=1');
    const port = await core.open(CAPTURE);
    await tell(port, 'capture 203.0.113.50:4000', /^captured/m);
    t.true(await answers(gateway, '203.0.113.50', 4000));
    await close(port);
  },
);

coreTest(
  '[W-5] reflexive: a thousand bindings at once; a ruleset that somebody flushes is made again',
  async (t, core, gateway) => {
    const port = await core.open(CAPTURE);
    const many = Array.from({ length: 1_000 }, (_, i) => `203.0.113.60:${10_000 + i}`);
    await tell(port, `capture ${many.join(' ')}`, /^captured/m);
    t.true(await answers(gateway, '203.0.113.60', 10_999));
    await core.run('nft', 'flush', 'ruleset');
    t.true(await answers(gateway, '203.0.113.60', 10_999));
    await tell(port, 'capture 203.0.113.61:4000', /^captured/m);
    t.true(await answers(gateway, '203.0.113.61', 4000));
    t.true(await answers(gateway, '203.0.113.60', 10_999));
    await close(port);
  },
);

coreTest(
  '[W-5] pool: everything for the prefixes comes, nothing else',
  async (t, core, gateway) => {
    const prefixes = ['203.0.113.48/29', '2001:db8:2::/64'];
    const port = await core.open({ routing: { kind: 'pool', prefixes }, echo: true });
    for (const { family, phoneAddress } of FAMILIES) {
      t.true(await answers(gateway, phoneAddress, 4000));
      t.true(await answers(core, phoneAddress, 4001));
      await gateway.run('ping', '-c', '1', phoneAddress);
      // In fragments on the way to the router. On the way back only one of IPv4 makes some.
      if (family === 'IPv4') t.true(await answers(gateway, phoneAddress, 4000, 4_000));
      else t.true(await isSilent(gateway, phoneAddress, 4000, 4_000));
    }
    t.true(await isSilent(gateway, '203.0.113.60', 4000));
    await close(port);
  },
);
