/**
 * Measures everything and writes docs/performance.md with its pictures and raw data.
 *
 *     npm run bench:report -- [--quick] [--draw]
 *
 * `--draw`: without measuring, from what is in `results/`. Takes some 25 minutes on a quiet machine; the exit status
 * is 1 when an aim was missed.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AIM_RATE } from '../cost/aims.ts';
import { readResults } from '../results.ts';
import type { CostFile, DelayFile } from './files.ts';
import { BESIDE, hasFewerCalls, pageOf } from './page.ts';
import { costAgainstCalls, costPerPacket, delayAgainstLoss, delayOverTime } from './plots.ts';

const DOCS = 'docs';
const BENCHES = ['delay', 'cost'] as const;

const words = process.argv.slice(2);
if (!words.includes('--draw')) {
  for (const bench of BENCHES) measure(bench);
}
const delay = readResults('delay') as DelayFile;
const cost = readResults('cost') as CostFile;
const folder = join(DOCS, BESIDE);
mkdirSync(folder, { recursive: true });
const files = {
  'delay-loss.svg': delayAgainstLoss(delay),
  'around-a-loss.svg': delayOverTime(delay, 'hole'),
  'blackout.svg': delayOverTime(delay, 'blackout'),
  'cost.svg': costPerPacket(cost, AIM_RATE),
  ...(hasFewerCalls(cost) ? { 'cost-calls.svg': costAgainstCalls(cost) } : {}),
  'delay.json': `${JSON.stringify(delay)}\n`,
  'cost.json': `${JSON.stringify(cost)}\n`,
};
for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
writeFileSync(join(DOCS, `${BESIDE}.md`), pageOf(delay, cost));

/** A missed aim is no reason to stop: the report tells it. */
function measure(bench: (typeof BENCHES)[number]): void {
  const file = fileURLToPath(new URL(`../${bench}/run.js`, import.meta.url));
  const { status } = spawnSync(process.execPath, [file, ...words], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
