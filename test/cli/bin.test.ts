/** The real program in a process of its own: what the dispatcher's tests cannot see. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { scratch } from '../config/scratch.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BIN = join(ROOT, 'build/cli/tep.js');

test('the built program is executable by itself', async (t) => {
  accessSync(BIN, constants.X_OK);
  const tep = spawn(BIN, ['--version'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [out, [status]] = await Promise.all([text(tep.stdout), once(tep, 'exit')]);
  t.regex(out, /^tep \d/);
  t.is(status, 0);
});

test('npx finds it in a clone, without network and without having been used before', async (t) => {
  const cache = mkdtempSync(join(tmpdir(), 'tep-npx-'));
  t.teardown(() => rmSync(cache, { recursive: true, force: true }));
  const npx = spawn('npx', ['tep', '--version'], {
    cwd: ROOT,
    env: {
      ...process.env,
      npm_config_cache: cache,
      npm_config_offline: 'true',
      // `prepare` would compile over the files that other tests are being loaded from.
      npm_config_ignore_scripts: 'true',
      npm_config_update_notifier: 'false',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [status]] = await Promise.all([
    text(npx.stdout),
    text(npx.stderr),
    once(npx, 'exit'),
  ]);
  t.is(status, 0, err);
  t.regex(out, /^tep \d/);
});

test('wrong usage is exit status 2', async (t) => {
  const tep = spawn(process.execPath, [BIN, 'nosuch'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [err, [status]] = await Promise.all([text(tep.stderr), once(tep, 'exit')]);
  t.is(status, 2);
  t.regex(err, /^tep: unknown command nosuch/);
});

test('a reader that goes away ends it quietly', async (t) => {
  // It begins when its standard input ends, which is after the reader has gone.
  const wait = "data:text/javascript,import fs from 'node:fs'; fs.readFileSync(0);";
  const tep = spawn(process.execPath, ['--import', wait, BIN, '--help'], { stdio: 'pipe' });
  tep.stdout.destroy();
  await once(tep.stdout, 'close');
  tep.stdin.end();
  const [err, [status]] = await Promise.all([text(tep.stderr), once(tep, 'exit')]);
  t.is(err, '');
  t.is(status, 141);
});

/** A process without any interface that is up; not every machine lets us make one. */
const ALONE = ['unshare', '--map-root-user', '--net'] as const;

if (spawnSync(ALONE[0], [...ALONE.slice(1), 'true']).status === 0) {
  test('the demo where not even loopback is up: one line, and it ends', async (t) => {
    const [program, ...args] = [...ALONE, process.execPath, BIN, 'demo', '--seconds', '0.1'];
    const tep = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const [err, [status]] = await Promise.all([text(tep.stderr), once(tep, 'exit')]);
    t.regex(err, /^tep: 127\.0\.0\.1:\d+: .*\(connect E[A-Z]+ .*\n$/);
    t.is(status, 1);
  });
}

const FULL = '/dev/full';

(existsSync(FULL) ? test : test.skip)(
  'a full disk behind the output is told as such',
  async (t) => {
    const full = openSync(FULL, 'w');
    t.teardown(() => closeSync(full));
    const tep = spawn(BIN, ['--version'], { stdio: ['ignore', full, 'pipe'] });
    const said = tep.stderr === null ? '' : text(tep.stderr);
    const [err, [status]] = await Promise.all([said, once(tep, 'exit')]);
    t.regex(err, /^tep: the output cannot be written: ENOSPC: .+\n$/);
    t.is(status, 1);
  },
);

(existsSync(FULL) ? test : test.skip)(
  'what cannot be written ends the demo, and nothing of it stays',
  async (t) => {
    const full = openSync(FULL, 'w');
    t.teardown(() => closeSync(full));
    const { folder } = scratch(t);
    const tep = spawn(BIN, ['demo', '--calls', '1', '--seconds', '0.1'], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', full, 'ignore'],
    });
    t.deepEqual(await once(tep, 'exit'), [1, null]);
    t.deepEqual(readdirSync(folder), []);
  },
);

/** Makes reading the version fail: an error of our own in the middle of a command. */
const BROKEN = `data:text/javascript,
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const read = fs.readFileSync;
fs.readFileSync = (file, ...rest) => {
  if (String(file).endsWith('/package.json') && rest[0] === 'utf8') throw new Error('torn page');
  return read(file, ...rest);
};
syncBuiltinESMExports();`;

for (const [debug, lines] of [
  ['', /^tep: internal error: torn page\n$/],
  ['1', /^tep: internal error: torn page\nError: torn page\n {4}at /],
] as const) {
  test(`an error of our own is one line, TEP_DEBUG='${debug}'`, async (t) => {
    const args = ['--import', BROKEN.replaceAll('\n', ''), BIN, '--version'];
    const tep = spawn(process.execPath, args, {
      env: { ...process.env, TEP_DEBUG: debug },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [err, [status]] = await Promise.all([text(tep.stderr), once(tep, 'exit')]);
    t.regex(err, lines);
    t.is(status, 1);
  });
}
