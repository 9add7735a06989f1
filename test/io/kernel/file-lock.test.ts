import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { isIoFault } from '../../../io/io-fault.ts';
import { type FileLock, lockFile } from '../../../io/kernel/file-lock.ts';

function pathOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tep-lock-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'a.lock');
}

function locked(path: string): FileLock {
  const held = lockFile(path);
  if (isIoFault(held)) throw new Error(held.text);
  return held;
}

test('one holds it at a time, and nothing is left when it is given back', (t) => {
  const path = pathOf(t);
  const first = locked(path);
  t.like(lockFile(path), { type: 'io-fault', code: 'EAGAIN' });
  t.is(statSync(path).mode & 0o777, 0o600);
  first.release();
  t.false(existsSync(path));
  locked(path).release();
});

test('what a killed process left locks nobody out', async (t) => {
  const path = pathOf(t);
  const module = new URL('../../../io/kernel/file-lock.js', import.meta.url);
  const program = `import { lockFile } from '${module}';
    lockFile(${JSON.stringify(path)});
    process.kill(process.pid, 'SIGKILL');`;
  const args = ['--input-type=module', '--eval', program];
  await t.throwsAsync(promisify(execFile)(process.execPath, args));
  t.true(existsSync(path));
  locked(path).release();
});

test('a folder that is not there, or not ours, is a fault', (t) => {
  t.like(lockFile('/nowhere/at/all.lock'), { type: 'io-fault', code: 'ENOENT' });
});
