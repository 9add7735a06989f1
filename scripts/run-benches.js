/**
 * Runs the benches one after the other, each in a process of its own, and ends with one line per aim:
 * met or missed. Words select benches by file name; `--quick` makes runs short.
 *
 *     node scripts/run-benches.js [--quick] [--json] [framing] [stun] …
 *
 * All output is JSON, a line for each case and each aim; `--json` is taken as by every other bench. Exit
 * status 1 when an aim is missed, a bench failed or the control is not seen.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** New space large enough that a million operations need no collection; `gc` to start from empty. */
const NODE_OPTIONS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
const FOLDER = 'build/bench';
const SUFFIX = '.bench.js';

/** An empty object has 56 bytes where pointers are not compressed, 28 where they are. */
const LEAST_OBJECT_BYTES = 24;

const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const results = [];
let failed = false;

for (const file of readdirSync(FOLDER).filter(isWanted).sort()) await runOne(join(FOLDER, file));

for (const { name, aim, met, ...figures } of results.filter(({ aim }) => aim !== undefined)) {
  // `maxNsPerOp` is about `nsPerOp`.
  const named = Object.keys(aim).map((limit) => limit[3].toLowerCase() + limit.slice(4));
  const reached = Object.fromEntries(named.map((figure) => [figure, figures[figure]]));
  console.log(JSON.stringify({ aim: name, ...reached, ...aim, met: met ? 'met' : 'missed' }));
  failed ||= !met;
}
for (const complaint of controlComplaints()) {
  console.error(complaint);
  failed = true;
}
process.exitCode = failed ? 1 : 0;

function isWanted(file) {
  if (!file.endsWith(SUFFIX)) return false;
  return wanted.length === 0 || wanted.some((word) => file.startsWith(word));
}

async function runOne(file) {
  const child = spawn(process.execPath, [...NODE_OPTIONS, file, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line);
    results.push(JSON.parse(line));
  }
  if ((await exited) !== 0) {
    console.error(`${file} failed`);
    failed = true;
  }
}

/** A harness that does not see a deliberate object sees nothing. */
function controlComplaints() {
  const bytes = (name) => results.find((result) => result.name === name)?.bytesPerOp;
  const complaints = [];
  if ((bytes('control: nothing') ?? 0) !== 0)
    complaints.push('control: nothing was measured as some');
  if ((bytes('control: one object per op') ?? LEAST_OBJECT_BYTES) < LEAST_OBJECT_BYTES) {
    complaints.push('control: an object per operation was not seen');
  }
  return complaints;
}
