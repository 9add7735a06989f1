import { rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import test from 'ava';
import { Failure } from '../../cli/command.ts';
import { command as demo } from '../../cli/demo.ts';
import { temporaryFolder } from '../../cli/temporary-folder.ts';
import { fakeWorld } from './world.ts';

test('a folder of its own for each who asks', (t) => {
  const folders = [temporaryFolder('tep-test-'), temporaryFolder('tep-test-')];
  t.teardown(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
  t.not(folders[0], folders[1]);
  for (const folder of folders) {
    t.is(dirname(folder), tmpdir());
    t.is(statSync(folder).mode & 0o777, 0o700);
  }
});

test.serial('where none can be made that is one line for people', async (t) => {
  const { TMPDIR } = process.env;
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  process.env.TMPDIR = '/nowhere';
  const expected = {
    instanceOf: Failure,
    message: /^no folder for temporary files in \/nowhere \(TMPDIR says where\): ENOENT: /,
  };
  t.throws(() => temporaryFolder('tep-test-'), expected);
  await t.throwsAsync(demo.run(['--seconds', '0.1'], fakeWorld()), expected);
});
