/**
 * What goes wrong on the way while people talk. Each time: how long is the silence, does the call go on
 * with the same public address, does anything take another way than the tunnel, is anything left behind?
 */
import type { ExecutionContext } from 'ava';
import { blackhole, END_OF_BLACKHOLE, replacingRuleset } from '../../lab/rulesets.ts';
import { NET, OUTSIDE } from '../../lab/sites.ts';
import { MODES, type Mode } from './agents.ts';
import type { Heard } from './media/heard.ts';
import { netTest } from './net-test.ts';
import { Call, type Scene, watchOutside, withAgents } from './scene.ts';
import { addRow } from './table.ts';

const BLACKHOLE_MS = 10_000;
const OTHER_ADDRESS = '10.0.0.77';
/**
 * Packets each way that may arrive late: what was under way on a connection when it fell silent comes
 * behind what its successor carried. The system holds about 4 KiB of them, and 250 ms pass before the
 * successor is there: 35 packets of a call.
 */
const MAX_OVERTAKEN = 40;
const HEADER = [
  'disturbance',
  'addresses',
  'silence up',
  'silence down',
  'lost up, down',
  'result',
];

interface Disturbance {
  readonly name: string;
  readonly modes: readonly Mode[];
  /** Whether the core sees another public address afterwards, and talks to where it hears the phone from. */
  readonly changesPublicAddress?: true;
  /** Packets each way that may come behind later ones; none where absent. */
  readonly mayBeOvertaken?: number;
  /** What may pass besides the tunnel, in the words of pcap-filter(7). */
  readonly allowed?: string;
  readonly disturb: (scene: Scene) => Promise<void>;
}

const DISTURBANCES: readonly Disturbance[] = [
  {
    name: 'server killed and restarted',
    modes: MODES,
    // Public addresses of pool and reflexive are the server's only while it runs.
    allowed: 'src net 203.0.113.0/24',
    disturb: async (scene) => {
      await scene.server.kill();
      scene.server = await scene.startServer();
    },
  },
  {
    name: 'client killed and restarted',
    modes: ['relay', 'reflexive'],
    // The tunnel that it had keeps its public ports for a while.
    changesPublicAddress: true,
    disturb: async (scene) => {
      await scene.client.kill();
      scene.client = await scene.startClient();
    },
  },
  {
    name: 'NAT rebinding',
    modes: ['relay', 'reflexive'],
    disturb: async ({ network }) => {
      const ports = { first: 20_000, last: 20_999 };
      const rules = replacingRuleset({ nat: { kind: 'port-restricted', outside: OUTSIDE, ports } });
      await network.run('nat', 'nft', ['-f', '-'], rules);
      await network.run('nat', 'conntrack', ['-F']);
    },
  },
  {
    name: 'ten seconds of blackhole',
    modes: ['relay', 'reflexive'],
    mayBeOvertaken: MAX_OVERTAKEN,
    disturb: async ({ network }) => {
      await network.run('firewall', 'nft', ['-f', '-'], blackhole());
      await new Promise((resolve) => setTimeout(resolve, BLACKHOLE_MS));
      await network.run('firewall', 'nft', ['-f', '-'], END_OF_BLACKHOLE);
    },
  },
  {
    name: 'interface down and up',
    modes: ['relay'],
    disturb: async (scene) => {
      await scene.network.run('ue', 'ip', ['link', 'set', NET, 'down']);
      await scene.network.run('ue', 'ip', ['link', 'set', NET, 'up']);
      // The routes went with the interface.
      await restoreRoutes(scene);
    },
  },
  {
    name: 'another address of the phone',
    modes: ['relay', 'reflexive'],
    disturb: async (scene) => {
      const { network, site } = scene;
      await network.run('ue', 'ip', ['addr', 'del', `${site.ue.v4}/24`, 'dev', NET]);
      await network.run('ue', 'ip', ['addr', 'add', `${OTHER_ADDRESS}/24`, 'dev', NET]);
      await restoreRoutes(scene);
    },
  },
];

for (const disturbance of DISTURBANCES) {
  for (const mode of disturbance.modes) {
    netTest(
      `a call goes on after: ${disturbance.name}, public addresses by ${mode}`,
      ['tcpdump', 'conntrack'],
      ({ t, folder }) =>
        withAgents({ kind: 'web-only', mode, folder }, (scene) =>
          runDisturbance(t, disturbance, mode, scene),
        ),
    );
  }
}

async function runDisturbance(
  t: ExecutionContext,
  disturbance: Disturbance,
  mode: Mode,
  scene: Scene,
): Promise<void> {
  const outside = await watchOutside(scene, disturbance.allowed);
  const call = await Call.begin(scene);
  if (disturbance.changesPublicAddress) call.core.follow();
  await disturbance.disturb(scene);
  await call.goesOn();
  const { up, down } = await call.end();
  const result = judge(disturbance, call, up, down);
  addRow('Calls through disturbances', HEADER, rowOf(disturbance, mode, up, down, result));
  t.is(result, 'goes on');
  t.is(await outside.stop(), 0, 'packets outside the tunnel');
}

function judge(
  { changesPublicAddress, mayBeOvertaken = 0 }: Disturbance,
  { publicAddress }: Call,
  up: Heard,
  down: Heard,
): string {
  const told = `${publicAddress.address} ${publicAddress.port}`;
  const isSame = up.from.join() === told;
  if (!isSame && !changesPublicAddress) return `seen as ${up.from.join()}, told ${told}`;
  const repeated = up.repeated + down.repeated;
  if (repeated > 0) return `${repeated} packets repeated`;
  const overtaken = Math.max(up.outOfOrder, down.outOfOrder);
  return overtaken > mayBeOvertaken ? `${overtaken} packets out of order` : 'goes on';
}

function rowOf(
  { name }: Disturbance,
  mode: Mode,
  up: Heard,
  down: Heard,
  result: string,
): string[] {
  const lost = `${up.missing}, ${down.missing}`;
  return [name, mode, `${up.gapMs} ms`, `${down.gapMs} ms`, lost, result];
}

/** Those of IPv4, which the calls use. */
async function restoreRoutes({ network, site }: Scene): Promise<void> {
  const all = site.topology.hosts.find(({ name }) => name === 'ue')?.routes ?? [];
  for (const route of all.filter((line) => !line.includes(':'))) {
    await network.run('ue', 'ip', ['route', 'replace', ...route.split(' ')]);
  }
}
