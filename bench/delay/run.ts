/**
 * Delay one way of every packet, of each peer over the same spoilt link.
 *
 *     npm run bench:delay -- [--quick] [--json] [PEER… SCENARIO…] [--client=KEY=VALUE …] [--server=KEY=VALUE …]
 *
 * Ends with a line for each aim: figure, aim, met or missed. Exit status 1 when one is missed. With names of peers
 * or scenarios only those are run. `--client` and `--server` give settings to TEP-C and TEP-S, to see what they do.
 */
import { concludeAims } from '../aims.ts';
import { Ground } from '../link/ground.ts';
import { machine } from '../machine.ts';
import { missingFor, peersFor } from '../peers/all.ts';
import type { Peer } from '../peers/peer.ts';
import { writeResults } from '../results.ts';
import { tableLines } from '../table.ts';
import { delayAims } from './aims.ts';
import { type Measured, measure, type Result } from './measure.ts';
import { optionsOf } from './options.ts';
import type { Scenario } from './scenarios.ts';
import { type Series, seriesOf } from './series.ts';
import { untruths } from './truth.ts';

const HEADER = [
  ...['ms one way', 'p50', 'p95', 'p99', 'p99.9', 'max', 'lost %', '> 150 ms %', 'MOS'],
  ...['frames whole/part/none', 'back after', 'µs client', 'µs server', 'MB'],
];

const options = optionsOf(process.argv.slice(2));
const missing = missingFor(options.peers);
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}
const peers = peersFor(options.peers, options);
const results: Result[] = [];
const series: Series[] = [];
/** Why not all of it is to be trusted. */
const doubts: string[] = [];
let ground = await Ground.open();
try {
  for (const scenario of options.scenarios) await compare(scenario);
} finally {
  await ground.close();
}
for (const line of doubts) console.error(line);
if (doubts.length > 0) process.exitCode = 1;
const aims = delayAims(
  results,
  peers.filter(({ isTcp }) => isTcp).map(({ name }) => name),
);
const titles = Object.fromEntries(options.scenarios.map(({ name, title }) => [name, title]));
writeResults('delay', { machine: machine(), titles, results, series, doubts, aims });
concludeAims(aims, options.asJson);

async function compare(scenario: Scenario): Promise<void> {
  const rows: string[][] = [];
  for (const peer of peers.filter(({ name }) => scenario.peers?.includes(name) ?? true)) {
    const measured = await measureOrTell(peer, scenario);
    if (measured === undefined) continue;
    results.push(measured.result);
    if (peer.name === 'udp') {
      const found = untruths(scenario, measured.result);
      doubts.push(...found.map((what) => `${scenario.name}: not to be trusted: ${what}`));
    }
    series.push(...seriesOf(measured));
    if (options.asJson) console.log(JSON.stringify(measured.result));
    rows.push([peer.title, ...cells(measured.result)]);
  }
  if (options.asJson) return;
  console.log(`\n${scenario.name}: ${scenario.title}`);
  for (const line of tableLines([HEADER, ...rows])) console.log(`  ${line}`);
}

/** A peer that cannot be measured is no reason to throw the others' figures away. */
async function measureOrTell(peer: Peer, scenario: Scenario): Promise<Measured | undefined> {
  try {
    return await measure(ground, peer, scenario, options.leadInMs);
  } catch (error) {
    doubts.push(`${scenario.name}: ${peer.name} has no figure: ${error}`);
    // Nobody knows what it left.
    await ground.close();
    ground = await Ground.open();
    return undefined;
  }
}

function cells({ audio, video, recoveryMs, client, server }: Result): string[] {
  const { p50, p95, p99, p999, max, lostPercent, latePercent, mos } = audio;
  return [
    ...[p50, p95, p99, p999, max, lostPercent, latePercent, mos].map(String),
    video === undefined ? '' : `${video.whole}/${video.part}/${video.none}`,
    recoveryMs === undefined ? '' : `${recoveryMs} ms`,
    ...[client.usPerPacket, server.usPerPacket, client.mb + server.mb].map(shown),
  ];
}

/** A peer without processes of its own has no figure. */
function shown(value: number): string {
  return value === 0 ? '' : String(Number(value.toPrecision(3)));
}
