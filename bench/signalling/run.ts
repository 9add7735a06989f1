/**
 * What TEP adds to signalling, each agent a process of its own, with the real program behind it.
 *
 *     npm run bench:signalling -- [--json] [--quick] [ng] [sidecar]
 *
 * Ends with a line for each aim: figure, aim, met or missed. Exit status 1 when one is missed.
 */
import { ng } from './ng.ts';
import type { Bench, Plan, Row } from './rows.ts';
import { sidecar } from './sidecar.ts';

/** One row a bench: its name on the command line. */
const BENCHES: Readonly<Record<string, Bench>> = { ng, sidecar };

const QUICK = process.argv.includes('--quick');
const JSON_ONLY = process.argv.includes('--json');
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));

const plan: Plan = {
  callsPerSecond: 200,
  windows: QUICK ? 3 : 9,
  windowMs: QUICK ? 1_000 : 3_000,
  tell(name, figures) {
    if (JSON_ONLY) console.log(JSON.stringify({ name, ...figures, node: process.version }));
    else console.log(`${name}  ${pairs(figures)}`);
  },
};

const rows: Row[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (bench.missing === undefined) rows.push(...(await bench.run(plan)));
  else console.error(`no figure for ${name}: ${bench.missing}`);
}
for (const { name, figure, unit, aim } of rows) {
  const met = figure <= aim ? 'met' : 'missed';
  if (JSON_ONLY) console.log(JSON.stringify({ aim: name, figure, unit, atMost: aim, met }));
  else console.log(`${name.padEnd(36)} ${figure} ${unit}, aim ${aim}: ${met}`);
}
process.exitCode = rows.every(({ figure, aim }) => figure <= aim) ? 0 : 1;

function pairs(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join('  ');
}
