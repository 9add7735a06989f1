/**
 * Compiles into build/ what has changed, then removes what is there without a source: a test whose
 * source is gone would go on being run. Files that are as they should be are not touched, so building
 * again does not disturb a test run that is going on.
 *
 *     npm run build
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

const FOLDER = 'build';
/** What the compiler remembers of its last run. It does not look whether the files are still there. */
const MEMORY = join(FOLDER, 'tsconfig.tsbuildinfo');
const COMPILED = /\.(?:d\.ts|js|js\.map)$/;

compile();
if (isIncomplete()) {
  rmSync(MEMORY);
  compile();
}
removeWithoutSource();
chmodSync(join(FOLDER, 'cli/tep.js'), 0o755);

function compile() {
  const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
}

function isIncomplete() {
  const { include } = JSON.parse(readFileSync('tsconfig.json', 'utf8'));
  const sources = include.flatMap(filesUnder).filter((file) => /(?<!\.d)\.ts$/.test(file));
  return sources.some((file) => !existsSync(join(FOLDER, file.replace(/\.ts$/, '.js'))));
}

function removeWithoutSource() {
  for (const file of filesUnder(FOLDER)) {
    const source = relative(FOLDER, file).replace(COMPILED, '.ts');
    if (file !== MEMORY && !existsSync(source)) rmSync(file);
  }
  removeEmpty(FOLDER);
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Removes empty folders inside; true when nothing is left in this one. */
function removeEmpty(folder) {
  const left = readdirSync(folder, { withFileTypes: true }).filter((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory() || !removeEmpty(path)) return true;
    rmdirSync(path);
    return false;
  });
  return left.length === 0;
}
