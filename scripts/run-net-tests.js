/**
 * `npm run test:net` and `npm run test:call`: tests with networks, as the configuration of AVA that is the
 * first argument says, then the tables that they have filled in, then the line `N passed, N failed`. Other
 * arguments go to AVA unchanged.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sweepDeadRuns } from '../build/lab/sweep.js';

const tables = mkdtempSync(join(tmpdir(), 'tep-net-tables-'));
const args = ['scripts/run-tests.js', '--config', ...process.argv.slice(2)];
const tests = spawn(process.execPath, args, {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, TEP_NET_TABLES: tables },
});
const exited = new Promise((resolve) => tests.on('close', (code) => resolve(code ?? 1)));

// The last line is held back: it is to be the last one here too.
let held;
for await (const line of createInterface({ input: tests.stdout })) {
  if (held !== undefined) console.log(held);
  held = line;
}
process.exitCode = await exited;
for (const name of readdirSync(tables).sort()) printTable(name);
rmSync(tables, { recursive: true });
if (process.getuid?.() === 0) sweepDeadRuns();
if (held !== undefined) console.log(held);

/** A file of rows, each with the header of its table. */
function printTable(name) {
  const lines = readFileSync(join(tables, name), 'utf8').trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line));
  const all = [rows[0].header, ...rows.map(({ row }) => row)];
  const widths = all[0].map((_, i) => Math.max(...all.map((row) => row[i].length)));
  console.log(`\n${name}`);
  for (const row of all) {
    console.log(
      `  ${row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd()}`,
    );
  }
  console.log('');
}
