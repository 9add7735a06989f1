/**
 * Runs AVA and ends with one plain line: `N passed, N failed` (`, N skipped`). AVA's own closing
 * lines leave the passed count out when something failed. Arguments go to AVA unchanged.
 * With CI=true a skipped test is a failure: there, everything that a test needs is installed.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const ava = spawn(
  process.execPath,
  ['node_modules/ava/entrypoints/cli.mjs', '--tap', ...process.argv.slice(2)],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const exited = new Promise((resolve) => ava.on('close', (code) => resolve(code ?? 1)));

let passed = 0;
let failed = 0;
let skipped = 0;
let showing = false;
for await (const line of createInterface({ input: ava.stdout })) {
  const result = /^(not )?ok \d+ - (.*?)( # (?:SKIP|TODO).*)?$/.exec(line);
  if (result === null) {
    if (showing) console.log(line);
    continue;
  }
  showing = result[1] !== undefined;
  if (result[3] !== undefined) {
    skipped += 1;
    console.log(line);
  } else if (showing) {
    failed += 1;
    console.log(line);
  } else {
    passed += 1;
  }
}

const code = await exited;
if (code !== 0 && failed === 0) failed = 1;
if (passed === 0 && failed === 0) failed = 1;
const skipIsFailure = process.env.CI === 'true' && skipped > 0;
if (skipIsFailure) {
  console.log(`${skipped} skipped in CI, where nothing may be skipped`);
  failed += skipped;
  skipped = 0;
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
