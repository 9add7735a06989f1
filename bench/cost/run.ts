/**
 * What a packet costs each peer, in processor time as the kernel counts it, and memory.
 *
 *     npm run bench:cost -- [--quick] [--json] [SUBJECT…]
 *
 * All stand at the same time and are measured in turns, so that what the machine does besides meets them alike. Ends
 * with a line for each aim: figure, aim, met or missed. Exit status 1 when one is missed.
 */
import { concludeAims } from '../aims.ts';
import { machine } from '../machine.ts';
import { missingFor } from '../peers/all.ts';
import { writeResults } from '../results.ts';
import { tableLines } from '../table.ts';
import { AIM_RATE, costAims } from './aims.ts';
import { type Cost, costOf, measureWindow, type Pace, type Window } from './measure.ts';
import { type CostScene, openSubject, SUBJECTS, type Subject, TITLES } from './scenes.ts';

const words = process.argv.slice(2);
const isQuick = words.includes('--quick');
const asJson = words.includes('--json');
const named = words.filter((word) => !word.startsWith('--'));

/** In the short form: those whose figures an aim is about. */
const QUICK_SUBJECTS: readonly Subject[] = ['tep-rings', 'floor', 'turn-tcp', 'udptunnel'];
/** Most where the aims are. */
const ROUNDS = isQuick ? 3 : 7;
const ROUNDS_BELOW = 3;
const SETTLE_MS = isQuick ? 300 : 700;
const WINDOW_MS = isQuick ? 600 : 1_000;
/** Before the first round: Node compiles, connections find their pace. */
const WARM_UP_MS = isQuick ? 1_500 : 4_000;

const FULL: readonly (readonly [string, Pace])[] = [
  ['up', [AIM_RATE, 0]],
  ['down', [0, AIM_RATE]],
  ['both', [AIM_RATE / 2, AIM_RATE / 2]],
];
/** Of so many calls, 50 packets a second each way. */
const CALLS = (isQuick ? [] : [1, 20, 100, 200]).map((calls): Pace => [calls * 50, calls * 50]);

const missing = missingFor(['turn-tcp', 'udptunnel', 'openvpn']);
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}
const subjects = SUBJECTS.filter((subject) =>
  named.length > 0 ? named.includes(subject) : !isQuick || QUICK_SUBJECTS.includes(subject),
);
const scenes = new Map<Subject, CostScene>();
const costs: Cost[] = [];
try {
  for (const subject of subjects) {
    const scene = await openOrTell(subject);
    if (scene !== undefined) scenes.set(subject, scene);
  }
  for (const scene of scenes.values()) {
    await measureWindow(scene, [AIM_RATE / 2, AIM_RATE / 2], WARM_UP_MS, 0);
  }
  for (const [direction, pace] of FULL) await inTurns(direction, pace, ROUNDS);
  for (const pace of CALLS) await inTurns('both', pace, ROUNDS_BELOW);
} finally {
  for (const scene of scenes.values()) await scene.close();
}
const aims = costAims(costs);
writeResults('cost', { machine: machine(), titles: TITLES, costs, aims });
concludeAims(aims, asJson);

/** A peer that cannot be measured is no reason to throw the others' figures away. */
async function openOrTell(subject: Subject): Promise<CostScene | undefined> {
  try {
    return await openSubject(subject);
  } catch (error) {
    console.error(`${subject} has no figure: ${error}`);
    process.exitCode = 1;
    return undefined;
  }
}

async function inTurns(direction: string, pace: Pace, rounds: number): Promise<void> {
  const windows = new Map<Subject, Window[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [subject, scene] of scenes) {
      windows.get(subject)?.push(await measureWindow(scene, pace, SETTLE_MS, WINDOW_MS));
    }
  }
  const found = [...scenes].map(([subject, scene]) =>
    costOf(subject, direction, pace, windows.get(subject) ?? [], scene),
  );
  costs.push(...found);
  if (asJson) for (const cost of found) console.log(JSON.stringify(cost));
  else print(direction, pace, found);
}

function print(direction: string, [up, down]: Pace, found: readonly Cost[]): void {
  console.log(`\n${up + down} packets a second, ${direction}`);
  const rows = found.map((cost) => [
    TITLES[cost.subject],
    ...[shown(cost.clientUs), cost.serverUs, cost.lostPercent, shown(cost.clientMb), cost.serverMb],
  ]);
  const header = ['µs a packet', 'client', 'server', 'lost %', 'MB client', 'MB server'];
  for (const line of tableLines([header, ...rows.map((row) => row.map(String))]))
    console.log(`  ${line}`);
}

/** A telephone that is its own client has no figure. */
function shown(value: number): string {
  return value === 0 ? '' : String(value);
}
