/**
 * The same benches on another commit and here, in turns, so that both see the same weather:
 *
 *     npm run bench:compare -- REF [--quick] [framing] …
 *
 * REF is checked out and built in a temporary folder, which is removed afterwards.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROUNDS = 3;

const [ref, ...words] = process.argv.slice(2);
if (ref === undefined || ref.startsWith('-')) {
  console.error('usage: npm run bench:compare -- REF [--quick] [name of a bench] …');
  process.exit(2);
}

try {
  execFileSync('git', ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], { stdio: 'ignore' });
} catch {
  console.error(`${ref} is no commit of this repository`);
  process.exit(2);
}

const here = process.cwd();
const temporary = mkdtempSync(join(tmpdir(), 'tep-bench-'));
const there = join(temporary, 'tree');
try {
  run(here, 'git', ['worktree', 'add', '--detach', there, ref]);
  install();
  run(there, process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.']);
  run(here, process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.']);
  compare();
} finally {
  rmSync(temporary, { recursive: true, force: true });
  execFileSync('git', ['worktree', 'prune'], { cwd: here });
}

/** The same lock file means the same packages: then ours are used. */
function install() {
  const lock = (folder) => readFileSync(join(folder, 'package-lock.json'), 'utf8');
  if (lock(here) === lock(there))
    symlinkSync(join(here, 'node_modules'), join(there, 'node_modules'));
  else run(there, 'npm', ['ci', '--no-progress']);
}

function compare() {
  if (!existsSync(join(there, 'scripts/run-benches.js'))) {
    console.error(`${ref} has no benches`);
    process.exitCode = 2;
    return;
  }
  const before = new Map();
  const after = new Map();
  for (let round = 0; round < ROUNDS; round++) {
    collect(there, before);
    collect(here, after);
  }
  for (const [name, now] of after) print(name, before.get(name), now);
}

function collect(folder, into) {
  // A missed aim, or a broken bench, is told on standard error and ends with 1: others are compared.
  const bench = ['scripts/run-benches.js', ...words];
  const { stdout } = spawnSync(process.execPath, bench, options(folder));
  for (const line of stdout.split('\n').filter((text) => text !== '')) {
    const result = JSON.parse(line);
    if (result.name !== undefined)
      into.set(result.name, [...(into.get(result.name) ?? []), result]);
  }
}

function print(name, before, after) {
  const line = { name };
  for (const figure of ['nsPerOp', 'packetsPerSecond', 'bytesPerOp', 'peakMb']) {
    const now = median(after, figure);
    if (now === undefined) continue;
    const was = before === undefined ? undefined : median(before, figure);
    const change = was ? `${(((now - was) / was) * 100).toFixed(1)} %` : undefined;
    line[figure] = { before: was ?? null, after: now, ...(change && { change }) };
  }
  console.log(JSON.stringify(line));
}

function median(results, figure) {
  const values = results.map((result) => result[figure]).filter((value) => value !== undefined);
  return values.sort((a, b) => a - b)[values.length >> 1];
}

function run(folder, program, words) {
  return execFileSync(program, words, options(folder));
}

function options(folder) {
  return {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 26,
  };
}
