/** The two ways in which the demo is played: on loopback, and through a network of namespaces. */
import { EXIT, type World } from '../command.ts';
import { LOCAL_STAGE } from './local-stage.ts';
import { type FirewallKind, openNetnsStage } from './netns-stage.ts';
import { picture } from './picture.ts';
import { probeDirectly } from './probe.ts';
import { callTable, introduction, reportOf, summary } from './report.ts';
import { Screen } from './screen.ts';
import { type Closers, openSimulation, type SimulationOptions } from './setup.ts';
import type { Simulation } from './simulation.ts';

const REDRAW_MS = 200;
const MOST_CALLS = 16;
/** Of a terminal that does not say; and lines that are not calls: head, "more", cursor. */
const USUAL_ROWS = 24;
const OTHER_ROWS = 3;

export interface Plan extends SimulationOptions {
  readonly json: boolean;
  readonly firewall: FirewallKind;
}

/** Gives the exit status; `closers` close what was opened, whatever happens. */
export async function onLoopback(
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

export async function inNamespaces(
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
