/**
 * Runs AVA, hides the tests that pass, and ends with one plain line: `N passed, N failed`
 * (`, N skipped`). What fails is shown as AVA shows it: file, title, place and difference. Arguments go
 * to AVA, `test/x.test.ts` as the file that it is compiled to. With CI=true a skipped test is a failure: there, everything that a test needs is
 * installed.
 *
 * AVA's TAP output is not used: it tells no place, and breaks when the time limit ends a run.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How AVA begins a line about a test, or about a file in which something went wrong. */
const PASSED = /^ {2}✔ /;
const FAILED = /^ {2}✘ /;
const SKIPPED = /^ {2}- \[(?:skip|todo)\] /;
/** Not finished when the time limit ended the run. */
const PENDING = /^ {2}◌ /;
/** What a test logged stands below its line. */
const LOGGED = /^ {4}/;

const words = process.argv.slice(2).map((word) => {
  return word.replace(/^(test\/.*\.test)\.ts$/, 'build/$1.js');
});
const ava = spawn(
  process.execPath,
  ['node_modules/ava/entrypoints/cli.mjs', ...words],
  // The signs above are others on a Linux console, and colours stand before them.
  { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, FORCE_COLOR: '0', TERM: 'dumb' } },
);
const exited = new Promise((resolve) => ava.on('close', (code) => resolve(code ?? 1)));

let passed = 0;
let failed = 0;
let skipped = 0;
let hiding = false;
for await (const line of createInterface({ input: ava.stdout })) {
  if (PASSED.test(line)) passed += 1;
  else if (FAILED.test(line) || PENDING.test(line)) failed += 1;
  else if (SKIPPED.test(line)) skipped += 1;
  hiding = PASSED.test(line) || (hiding && LOGGED.test(line));
  if (!hiding) console.log(line);
}

if ((await exited) !== 0 || passed + skipped === 0) failed = Math.max(failed, 1);
const skipIsFailure = process.env.CI === 'true' && skipped > 0;
if (skipIsFailure) {
  console.log(`${skipped} skipped in CI, where nothing may be skipped`);
  failed += skipped;
  skipped = 0;
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
