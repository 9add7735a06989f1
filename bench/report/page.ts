/** docs/performance.md, from what was measured. */
import { type Aim, isMet } from '../aims.ts';
import { AIM_RATE } from '../cost/aims.ts';
import type { Cost } from '../cost/measure.ts';
import type { Result } from '../delay/measure.ts';
import type { Machine } from '../machine.ts';
import type { CostFile, DelayFile } from './files.ts';
import { PEER_TITLES } from './plots.ts';

/** Folder of pictures and raw data, beside the page. */
export const BESIDE = 'performance';

export function pageOf(delay: DelayFile, cost: CostFile): string {
  return [
    '# Performance',
    '',
    'Media over TCP, measured: this project beside what people use today, on one machine, delay in one run and cost in one. Made by',
    '`npm run bench:report`; how everything is measured stands in [bench/README.md](../bench/README.md). Compare the',
    'figures with each other, not with those of another machine.',
    '',
    ...machineLines(delay.machine),
    ...delay.doubts.map((doubt) => `\n**${doubt}**`),
    '',
    '## Aims',
    '',
    ...table([['aim', 'figure', 'limit', ''], ...[...delay.aims, ...cost.aims].map(aimRow)]),
    '',
    'Why some are missed, and what was tried: [limits.md](limits.md).',
    '',
    '## Delay against loss',
    '',
    '![p99 of delay against loss, a line for each peer](performance/delay-loss.svg)',
    '',
    '20 ms each way, 20 calls of G.711. UDP keeps its delay and loses packets; what runs over TCP loses none and is late.',
    '',
    '## Around a loss',
    '',
    '![delay of each packet around 10 ms without link](performance/around-a-loss.svg)',
    '',
    'The link is dead for 10 ms (grey). Across: when a packet was sent, ms; up: its delay one way, ms. Red: never arrived.',
    '',
    '## A blackout of two seconds',
    '',
    '![delay of each packet around 2 s without link](performance/blackout.svg)',
    '',
    '## Cost',
    '',
    '![processor time for each packet, server and client](performance/cost.svg)',
    '',
    hasFewerCalls(cost)
      ? '![processor time for each packet against calls](performance/cost-calls.svg)'
      : 'Measured in the short form: not for fewer calls.',
    '',
    'Processor time as the kernel counts it; what the kernel does on the way to the receiving application is in it. The floor',
    'is the least C program that reads a TCP stream and puts the packets into a veth.',
    '',
    `Measured at ${cost.machine.date} UTC, commit ${cost.machine.commit}.`,
    '',
    ...costLines(cost),
    '',
    '## Everything that was measured',
    '',
    ...Object.entries(delay.titles).flatMap(([name, title]) => scenarioLines(delay, name, title)),
    'Raw data: [delay.json](performance/delay.json), [cost.json](performance/cost.json).',
    '',
  ].join('\n');
}

/** The short form measures at one rate only. */
export function hasFewerCalls({ costs }: CostFile): boolean {
  return costs.some(({ perSecond }) => perSecond !== AIM_RATE);
}

function machineLines({ date, processor, cores, memoryMb, kernel, node, commit, peers }: Machine) {
  const programs = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return [
    `${date} UTC, ${processor}, ${cores} cores, ${memoryMb} MB, Linux ${kernel}, Node ${node}, commit ${commit};`,
    `Debian's ${programs.join(', ')}.`,
  ];
}

function aimRow(aim: Aim): string[] {
  const figure = `${number(aim.figure)} ${aim.unit}`;
  return [aim.name, figure, `${aim.bound} ${number(aim.aim)}`, isMet(aim) ? 'met' : '**missed**'];
}

function scenarioLines({ results }: DelayFile, name: string, title: string): string[] {
  const rows = results.filter(({ scenario }) => scenario === name).map(delayRow);
  if (rows.length === 0) return [];
  const header = ['', 'p50', 'p95', 'p99', 'p99.9', 'max', 'lost %', '> 150 ms %', 'MOS', ''];
  return [`### ${title}`, '', ...table([header, ...rows]), ''];
}

function delayRow({ peer, audio, video, recoveryMs }: Result): string[] {
  const { p50, p95, p99, p999, max, lostPercent, latePercent, mos } = audio;
  const notes = [
    ...(video === undefined
      ? []
      : [`frames: ${video.whole} whole, ${video.part} in part, ${video.none} not at all`]),
    ...(recoveryMs === undefined ? [] : [`back after ${number(recoveryMs)} ms`]),
  ];
  const figures = [p50, p95, p99, p999, max, lostPercent, latePercent, mos].map(number);
  return [PEER_TITLES[peer], ...figures, notes.join('; ')];
}

function costLines({ costs, titles }: CostFile): string[] {
  const header = ['', 'packets a second', 'way', 'client µs', 'server µs', 'lost %', 'MB'];
  const row = (cost: Cost) => [
    titles[cost.subject],
    String(cost.perSecond),
    cost.direction,
    cost.clientUs > 0 ? number(cost.clientUs) : '',
    number(cost.serverUs),
    number(cost.lostPercent),
    cost.clientMb > 0 ? `${cost.clientMb} + ${cost.serverMb}` : String(cost.serverMb),
  ];
  return table([header, ...costs.map(row)]);
}

function table([header = [], ...rows]: readonly (readonly string[])[]): string[] {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [row(header), row(header.map(() => '---')), ...rows.map(row)];
}

function number(value: number): string {
  if (!Number.isFinite(value)) return 'never';
  return String(Number(value.toPrecision(3)));
}
