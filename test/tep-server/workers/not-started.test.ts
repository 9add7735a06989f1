/** Workers that the system does not start: a fault that is told, and tried again later. */
import test, { type ExecutionContext } from 'ava';
import { isIoFault } from '../../../io/io-fault.ts';
import { SILENT } from '../../../ops/log.ts';
import { startServer } from '../../../tep-server/daemon.ts';
import { settingsOf, startService, until } from '../service.ts';

/** As where there may be no more processes: the program that would be one is not there. */
function withoutNode(t: ExecutionContext): () => void {
  const { execPath } = process;
  const restore = () => {
    process.execPath = execPath;
  };
  process.execPath = '/nowhere/node';
  t.teardown(restore);
  return restore;
}

async function faultOf(t: ExecutionContext) {
  const settings = settingsOf(t, '--workers', '2');
  const started = await startServer(settings, { log: SILENT, failed: () => {} });
  if (isIoFault(started)) return started;
  t.teardown(() => started.stop());
  throw new Error('it started');
}

test.serial('[W-5] no worker can be started: the server says so and ends', async (t) => {
  withoutNode(t);
  t.deepEqual(await faultOf(t), {
    type: 'io-fault',
    code: 'ECHILD',
    text: 'a worker did not start',
  });
});

test.serial('[W-5] a worker that cannot be started again is tried until it can', async (t) => {
  const { lines } = await startService(t, settingsOf(t, '--workers', '2'));
  const [, pid] = /^worker is running worker=0 pid=(\d+)$/m.exec(lines.join('\n')) ?? [];
  const restore = withoutNode(t);
  process.kill(Number(pid), 'SIGKILL');
  await until(() => lines.some((line) => /^a worker did not start worker=0 /.test(line)));
  restore();
  await until(() => lines.filter((line) => /^worker is running worker=0 /.test(line)).length === 2);
  t.pass();
});

test.serial('[W-5] no folder for temporary files: the fault says what is needed', async (t) => {
  const { TMPDIR } = process.env;
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  const settings = settingsOf(t, '--workers', '2');
  process.env.TMPDIR = '/nowhere';
  const started = await startServer(settings, { log: SILENT, failed: () => {} });
  t.true(isIoFault(started));
  if (!isIoFault(started)) return;
  t.is(started.code, 'ENOENT');
  t.regex(started.text, /^workers need a folder for temporary files: .*\/nowhere\//);
});
