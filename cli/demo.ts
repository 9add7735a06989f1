/** `tep demo`: simulated calls through both ends of a tunnel on this machine. */
import { helpText, parseArguments } from './arguments.ts';
import { type Command, EXIT, type World } from './command.ts';
import { LOCAL_STAGE } from './demo/local-stage.ts';
import { callTable, introduction, reportOf, summary } from './demo/report.ts';
import { Screen } from './demo/screen.ts';
import { type Closers, closeAll, openSimulation } from './demo/setup.ts';
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
    usage: 'demo [--calls N] [--seconds S] [--json]',
    about: `
Runs both ends of a tunnel on this machine, TEP-C and TEP-S, with simulated phones on one side and
a simulated media gateway on the other. Each call talks both ways: G.711 in RTP, a packet each
20 ms, and RTCP reports. Every octet that arrives is compared with what was sent. Needs no
privilege and no network.`,
    options: OPTIONS,
    notes: `
On a terminal the calls are shown while they talk; Ctrl-C ends them early. MOS is the mean opinion
score that ITU-T G.107 predicts from delay and loss: 4.41 is the best a G.711 call can have, below
3.6 many people complain.

Exit status: 0 when every packet arrived whole, 1 when one did not, 2 for wrong usage.

JSON: calls, sent, received, lost, corrupted, p50Ms, p99Ms, mos and more; times in milliseconds,
one way, from the phone's socket to the gateway's or back.`,
    examples: [
      ['tep demo', 'four calls of five seconds'],
      ['tep demo --calls 200 --seconds 10', 'a busy cell: 20,000 packets a second'],
      ['tep demo --seconds 1 --json', 'for scripts'],
    ],
  }),
  async run(args, world) {
    const { values } = parseArguments(args, OPTIONS);
    const { interrupt } = world;
    const closers: Closers = [];
    try {
      const simulation = await openSimulation(values, LOCAL_STAGE, closers, interrupt);
      const isShown = world.stdout.isTTY === true && !values.json;
      await (isShown ? watch(simulation, world) : simulation.run(interrupt));
      const report = reportOf(simulation);
      world.stdout.write(values.json ? `${JSON.stringify(report)}\n` : summary(report));
      return report.ok ? EXIT.SUCCESS : EXIT.FAILED;
    } finally {
      await closeAll(closers);
    }
  },
};

/** Runs it with a table of the calls, drawn again five times a second. */
async function watch(simulation: Simulation, world: World): Promise<void> {
  world.stdout.write(introduction(simulation));
  const screen = new Screen(world.stdout);
  // What has scrolled off the top cannot be drawn again.
  const room = (world.stdout.rows ?? USUAL_ROWS) - OTHER_ROWS;
  const most = Math.max(1, Math.min(MOST_CALLS, room));
  const draw = () => screen.draw(callTable(simulation.calls, most));
  const timer = setInterval(draw, REDRAW_MS);
  draw();
  try {
    await simulation.run(world.interrupt);
  } finally {
    clearInterval(timer);
    draw();
  }
}
