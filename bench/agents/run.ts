/**
 * What the agents cost, as the kernel counts it, each as people run it: a process of its own, with telephones
 * and media gateways in others.
 *
 *     npm run bench:agents -- [--json] [--quick] [sockets] [sockets-floor] [rings] [rings-floor] [idle] [memory]
 *
 * Ends with a line for each aim: figure, aim, met or missed. Exit status 1 when one is missed.
 */
import { labMissing } from '../../lab/requirements.ts';
import { openFloor } from '../floor/scene.ts';
import { openSocketsFloor } from '../floor/sockets-scene.ts';
import { Child } from './child.ts';
import { cpuNs, residentMb } from './process-use.ts';
import { type MeasuredScene, openScene, PASSWORD, USER } from './scene.ts';
import type { Tunnels } from './tunnels-process.ts';

const RATE = 50_000;
/** One socket for each: a call of 20 ms packets has 50 a second. */
const FLOWS = 100;
const TUNNELS = 1_000;

const QUICK = process.argv.includes('--quick');
const JSON_ONLY = process.argv.includes('--json');
const CASES = ['sockets', 'sockets-floor', 'rings', 'rings-floor', 'idle', 'memory'] as const;
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));

const WARM_UP_MS = QUICK ? 1_500 : 4_000;
const WINDOW_MS = QUICK ? 1_000 : 3_000;
const WINDOWS = QUICK ? 3 : 7;
const IDLE_MS = QUICK ? 3_000 : 20_000;
/** Connecting and authenticating leaves garbage; what counts is what stays. */
const SETTLE_MS = QUICK ? 2_000 : 10_000;

const DIRECTIONS = {
  up: { phones: RATE, gateways: 0 },
  down: { phones: 0, gateways: RATE },
  both: { phones: RATE / 2, gateways: RATE / 2 },
} as const;
type Direction = keyof typeof DIRECTIONS;

interface Result {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  readonly aim: number;
}

const results: Result[] = [];
const skipped: string[] = [];

/** What stands in the way of a case on this machine. */
const missingFor = {
  sockets: () => undefined,
  'sockets-floor': () => labMissing(['cc']),
  rings: () => labMissing(),
  'rings-floor': () => labMissing(['cc']),
  idle: () => undefined,
  memory: () => undefined,
} as const;

const runs = {
  sockets: () => costs('sockets', 3.5),
  'sockets-floor': () => floor('sockets', openSocketsFloor(FLOWS)),
  rings: () => costs('rings', 2),
  'rings-floor': () => floor('rings', openFloor(FLOWS)),
  idle,
  memory,
} as const;

for (const name of CASES.filter((name) => wanted.length === 0 || wanted.includes(name))) {
  const missing = missingFor[name]();
  if (missing === undefined) await runs[name]();
  else skipped.push(`${name}: ${missing}`);
}
conclude();

async function costs(port: 'sockets' | 'rings', aim: number): Promise<void> {
  for (const { direction, clientUs, serverUs } of await eachWay(port, openScene(port, FLOWS))) {
    for (const [agent, figure] of [
      ['TEP-C', clientUs],
      ['TEP-S', serverUs],
    ] as const) {
      results.push({ name: `${port}, ${direction}, ${agent}`, figure, unit: 'µs a packet', aim });
    }
  }
}

/** The least that this machine asks for what an agent does, and how far above it the agents are. */
async function floor(port: 'sockets' | 'rings', opening: Promise<MeasuredScene>): Promise<void> {
  for (const { direction, clientUs, serverUs } of await eachWay(`floor of ${port}`, opening)) {
    const above = (agent: string, least: number) =>
      figureOf(`${port}, ${direction}, ${agent}`).map((figure) => round(figure / least));
    const [client] = above('TEP-C', clientUs);
    const [server] = above('TEP-S', serverUs);
    if (client === undefined || server === undefined) continue;
    tell(`${port} / floor, ${direction}`, { client, server });
  }
}

function figureOf(name: string): number[] {
  return results.filter((result) => result.name === name).map(({ figure }) => figure);
}

async function eachWay(name: string, opening: Promise<MeasuredScene>): Promise<Cost[]> {
  const scene = await opening;
  try {
    const costs: Cost[] = [];
    for (const direction of Object.keys(DIRECTIONS) as Direction[]) {
      costs.push(await cost(scene, name, direction));
    }
    return costs;
  } finally {
    await scene.close();
  }
}

interface Cost {
  readonly direction: Direction;
  readonly clientUs: number;
  readonly serverUs: number;
}

interface Window {
  readonly clientUs: number;
  readonly serverUs: number;
  readonly sent: number;
  readonly received: number;
}

async function cost(scene: MeasuredScene, name: string, direction: Direction): Promise<Cost> {
  const { phones, gateways } = DIRECTIONS[direction];
  await scene.phones.ask('send', { perSecond: phones });
  await scene.gateways.ask('send', { perSecond: gateways });
  await sleep(WARM_UP_MS);
  const windows: Window[] = [];
  for (let i = 0; i < WINDOWS; i++) windows.push(await measure(scene));
  await scene.phones.ask('send', { perSecond: 0 });
  await scene.gateways.ask('send', { perSecond: 0 });
  await sleep(100);
  const sum = (of: (window: Window) => number) => windows.reduce((all, w) => all + of(w), 0);
  const lost = 1 - sum((w) => w.received) / sum((w) => w.sent);
  const figures = {
    clientUs: median(windows.map((w) => w.clientUs)),
    serverUs: median(windows.map((w) => w.serverUs)),
    perSecond: Math.round((sum((w) => w.sent) / WINDOWS / WINDOW_MS) * 1_000),
    // What was on its way at the beginning and the end of a window is no loss.
    lostPercent: round(Math.max(0, lost) * 100),
  };
  tell(`${name}, ${direction}`, figures);
  return { direction, ...figures };
}

async function measure({ client, server, phones, gateways }: MeasuredScene): Promise<Window> {
  const look = async () => ({
    client: cpuNs(client.pid),
    server: cpuNs(server.pid),
    phones: await phones.ask('counts', {}),
    gateways: await gateways.ask('counts', {}),
  });
  const before = await look();
  await sleep(WINDOW_MS);
  const after = await look();
  const grown = (of: (seen: typeof before) => number) => of(after) - of(before);
  const sent = grown((seen) => seen.phones.sent + seen.gateways.sent);
  return {
    sent,
    received: grown((seen) => seen.phones.received + seen.gateways.received),
    clientUs: grown((seen) => seen.client) / sent / 1_000,
    serverUs: grown((seen) => seen.server) / sent / 1_000,
  };
}

/** With a tunnel and bindings, and nothing to carry. */
async function idle(): Promise<void> {
  const port = labMissing() === undefined ? 'rings' : 'sockets';
  const scene = await openScene(port, 1);
  try {
    await sleep(SETTLE_MS);
    for (const [agent, { pid }] of [
      ['TEP-C', scene.client],
      ['TEP-S', scene.server],
    ] as const) {
      const before = cpuNs(pid);
      await sleep(IDLE_MS);
      const figure = round(((cpuNs(pid) - before) / 1e6 / IDLE_MS) * 100);
      tell(`idle, ${port}, ${agent}`, { cpuPercent: figure });
      results.push({ name: `idle, ${port}, ${agent}`, figure, unit: '% of a core', aim: 0.2 });
    }
  } finally {
    await scene.close();
  }
}

async function memory(): Promise<void> {
  const scene = await openScene('sockets', 1);
  const tunnels = new Child<Tunnels>('./tunnels-process.js');
  try {
    const [host = '', port] = scene.listening.split(':');
    const plan = { host, port: Number(port), name: USER, password: PASSWORD };
    const opened = await tunnels.ask('open', { ...plan, count: TUNNELS });
    await sleep(SETTLE_MS);
    const figure = round(residentMb(scene.server.pid));
    tell('memory', { tunnels: opened, residentMb: figure });
    if (opened !== TUNNELS) throw new Error(`${opened} of ${TUNNELS} tunnels`);
    results.push({ name: 'TEP-S, 1,000 idle tunnels', figure, unit: 'MB resident', aim: 200 });
  } finally {
    await tunnels.end();
    await scene.close();
  }
}

function tell(name: string, figures: Readonly<Record<string, number>>): void {
  if (JSON_ONLY) {
    console.log(JSON.stringify({ name, ...figures, node: process.version }));
    return;
  }
  const texts = Object.entries(figures).map(([figure, value]) => `${figure} ${value}`);
  console.log(`${name.padEnd(26)} ${texts.join('  ')}`);
}

/** A line for each aim, at the very end. */
function conclude(): void {
  for (const line of skipped) console.error(`no figure for ${line}`);
  if (!JSON_ONLY) console.log('');
  for (const { name, figure, unit, aim } of results) {
    const met = figure <= aim ? 'met' : 'missed';
    if (JSON_ONLY) console.log(JSON.stringify({ aim: name, figure, unit, atMost: aim, met }));
    else console.log(`${name.padEnd(28)} ${figure} ${unit}, aim ${aim}: ${met}`);
  }
  process.exitCode = results.every(({ figure, aim }) => figure <= aim) ? 0 : 1;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return round(sorted[sorted.length >> 1] ?? Number.NaN);
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
