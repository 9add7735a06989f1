/** `tep demo`: simulated calls through both ends of a tunnel on this machine. */
import { helpText, parseArguments } from './arguments.ts';
import { type Command, EXIT, UsageError, type World } from './command.ts';
import { LOCAL_STAGE } from './demo/local-stage.ts';
import { FIREWALLS, type FirewallKind, openNetnsStage } from './demo/netns-stage.ts';
import { picture } from './demo/picture.ts';
import { probeDirectly } from './demo/probe.ts';
import { callTable, introduction, reportOf, summary } from './demo/report.ts';
import { Screen } from './demo/screen.ts';
import { type Closers, closeAll, openSimulation, type SimulationOptions } from './demo/setup.ts';
import type { Simulation } from './demo/simulation.ts';

const OPTIONS = {
  calls: {
    kind: 'number',
    value: 'N',
    min: 1,
    max: 500,
    default: 4,
    meaning: 'calls at the same time',
  },
  seconds: {
    kind: 'number',
    value: 'S',
    min: 0.1,
    max: 3_600,
    unit: 's',
    fraction: true,
    default: 5,
    meaning: 'how long they talk',
  },
  netns: {
    kind: 'flag',
    meaning: 'with hosts, a NAT and a firewall in network namespaces; needs root',
  },
  firewall: {
    kind: 'text',
    value: 'KIND',
    default: 'web-only',
    meaning: 'with --netns: what the firewall lets out, see below',
  },
  json: { kind: 'flag', meaning: 'print one JSON object instead of text' },
} as const;

const REDRAW_MS = 200;
const MOST_CALLS = 16;
/** Of a terminal that does not say; and lines that are not calls: head, "more", cursor. */
const USUAL_ROWS = 24;
const OTHER_ROWS = 3;

export const command: Command = {
  name: 'demo',
  summary: 'watch calls cross a tunnel, all on this machine',
  help: helpText({
    usage: 'demo [--calls N] [--seconds S] [--netns [--firewall KIND]] [--json]',
    about: `
Runs both ends of a tunnel on this machine, tep client and tep server as processes of their own,
with simulated phones on one side and a simulated media gateway on the other. Each call talks both
ways: G.711 in RTP, a packet each 20 ms, and RTCP reports. Every octet that arrives is compared with
what was sent. Needs no privilege and no network.

With --netns the phones, a NAT, a firewall, TEP-S and the gateway are hosts of their own in network
namespaces, and TEP-C takes the packets of the phones off their routes. It shows first that without
the tunnel nothing arrives. Nothing of it touches the network of this machine, nor stays.`,
    options: OPTIONS,
    notes: `
Firewalls: web-only TCP 80 and 443; 443-only; two-firewalls one behind the other, both web-only;
udp-blocked all TCP; proxy-only nothing but a web proxy (tinyproxy), which reaches port 443 only.

On a terminal the calls are shown while they talk; Ctrl-C ends them early. MOS is the mean opinion
score that ITU-T G.107 predicts from delay and loss: 4.41 is the best a G.711 call can have, below
3.6 many people complain.

Exit status: 0 when every packet arrived whole (with --netns: and none without the tunnel), 1 when
one did not, 2 for wrong usage.

JSON: calls, sent, received, lost, corrupted, p50Ms, p99Ms, mos and more; times in milliseconds,
one way, from the phone's socket to the gateway's or back.`,
    examples: [
      ['tep demo', 'four calls of five seconds'],
      ['tep demo --calls 100 --seconds 10', 'a busy cell: 10,000 packets a second'],
      ['tep demo --seconds 1 --json', 'for scripts'],
      ['sudo tep demo --netns', 'through a NAT and a firewall that lets out TCP 80 and 443 only'],
      ['sudo tep demo --netns --firewall proxy-only', 'only a web proxy gets out'],
    ],
  }),
  async run(args, world) {
    const { values } = parseArguments(args, OPTIONS);
    const plan = { ...values, firewall: firewallOf(values.firewall) };
    const closers: Closers = [];
    const ended = endOf(world);
    closers.push(async () => ended.release());
    try {
      const act = values.netns ? inNamespaces : onLoopback;
      return await act(plan, world, ended.signal, closers);
    } finally {
      await closeAll(closers);
    }
  },
};

function firewallOf(text: string): FirewallKind {
  const kind = FIREWALLS.find((each) => each === text);
  if (kind !== undefined) return kind;
  throw new UsageError(`--firewall ${text}: must be one of ${FIREWALLS.join(', ')}`);
}

interface Plan extends SimulationOptions {
  readonly json: boolean;
  readonly firewall: FirewallKind;
}

async function onLoopback(
  plan: Plan,
  world: World,
  end: AbortSignal,
  closers: Closers,
): Promise<number> {
  const simulation = await openSimulation(plan, LOCAL_STAGE, closers, end);
  if (isShown(plan, world)) {
    world.stdout.write(introduction(simulation));
    // What has scrolled off the top cannot be drawn again.
    const room = (world.stdout.rows ?? USUAL_ROWS) - OTHER_ROWS;
    const most = Math.max(1, Math.min(MOST_CALLS, room));
    await watch(simulation, world, end, () => callTable(simulation.calls, most));
  } else {
    await simulation.run(end);
  }
  const report = reportOf(simulation);
  world.stdout.write(plan.json ? `${JSON.stringify(report)}\n` : summary(report));
  return report.ok ? EXIT.SUCCESS : EXIT.FAILED;
}

async function inNamespaces(
  plan: Plan,
  world: World,
  end: AbortSignal,
  closers: Closers,
): Promise<number> {
  const stage = await openNetnsStage(plan.firewall, closers);
  const probe = await probeDirectly(stage.phones, stage.gateways);
  const simulation = await openSimulation(plan, stage, closers, end);
  const draw = () => picture(simulation, stage, probe);
  if (isShown(plan, world)) {
    world.stdout.write('\n');
    await watch(simulation, world, end, () => {
      void simulation.count();
      return draw();
    });
  } else {
    await simulation.run(end);
    if (!plan.json) world.stdout.write(`\n${draw().join('\n')}\n`);
  }
  const { ok, ...report } = reportOf(simulation);
  const isWell = ok && probe.arrived === 0;
  const all = {
    ok: isWell,
    firewall: plan.firewall,
    directSent: probe.sent,
    directArrived: probe.arrived,
  };
  world.stdout.write(
    plan.json ? `${JSON.stringify({ ...all, ...report })}\n` : summary({ ok, ...report }),
  );
  return isWell ? EXIT.SUCCESS : EXIT.FAILED;
}

function isShown({ json }: Plan, { stdout }: World): boolean {
  return stdout.isTTY === true && !json;
}

/** Runs it with lines that are drawn again five times a second. */
async function watch(
  simulation: Simulation,
  world: World,
  end: AbortSignal,
  lines: () => string[],
): Promise<void> {
  const screen = new Screen(world.stdout);
  const draw = () => screen.draw(lines());
  const timer = setInterval(draw, REDRAW_MS);
  draw();
  try {
    await simulation.run(end);
  } finally {
    clearInterval(timer);
    draw();
  }
}

/** Ctrl-C, or SIGTERM: what has been opened must be closed by us. */
function endOf(world: World): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const release = world.process.on('SIGTERM', () => controller.abort());
  return { signal: AbortSignal.any([world.interrupt, controller.signal]), release };
}
