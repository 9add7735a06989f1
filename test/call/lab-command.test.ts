/** `tep lab` as people run it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { CALL_PROGRAMS } from '../../lab/calls/call-lab.ts';
import { netTest } from '../net/net-test.ts';
import { until } from '../net/until.ts';

const TEP = join(dirname(fileURLToPath(import.meta.url)), '../../cli/tep.js');
const UP_MS = 90_000;

netTest(
  'tep lab call: a call from behind a web proxy with a password, and nothing of it stays',
  CALL_PROGRAMS,
  async ({ t }) => {
    const args = ['lab', 'call', '--firewall', 'web-proxy', '--seconds', '3', '--json'];
    const tep = start(args);
    const [out, [status]] = await Promise.all([text(tep.stdout), once(tep, 'exit')]);
    const report = JSON.parse(out);
    t.is(status, 0, JSON.stringify(report.streams));
    t.true(report.ok);
    t.true(report.setUpMs > 0);
    t.true(report.streams.length === 2);
    for (const { file } of report.files) t.true(existsSync(file), file);
    t.deepEqual(namespacesOf(tep.pid), []);
    rmSync(report.folder, { recursive: true });
  },
);

netTest(
  'tep lab up: the softphone obeys what is typed; status shows it, down takes it down',
  CALL_PROGRAMS,
  async ({ t }) => {
    const tep = start(['lab', 'up', '--firewall', '443-only']);
    let out = '';
    tep.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
    });
    // It ends at once where a laboratory of somebody else stands on this machine.
    await until(() => out.includes('Ctrl-C ends it.') || tep.exitCode !== null, UP_MS);
    t.is(tep.exitCode, null);
    tep.stdin.write('/dial sip:carol@ims.example\n');
    await until(() => /^phone +.*Call established/m.test(out), UP_MS);
    const standing = JSON.parse(await outputOf(['lab', 'status', '--json']));
    t.is(standing.firewall, '443-only');
    t.is(standing.run.pid, tep.pid);
    t.regex(await outputOf(['lab', 'down']), /^Taken down/);
    t.deepEqual(namespacesOf(tep.pid), []);
    t.regex(await outputOf(['lab', 'status']), /^No laboratory stands/);
    rmSync(standing.folder, { recursive: true });
  },
);

function start(args: readonly string[]) {
  return spawn(process.execPath, [TEP, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function outputOf(args: readonly string[]): Promise<string> {
  return text(start(args).stdout);
}

/** Left of the lab of that process. */
function namespacesOf(pid = 0): string[] {
  return readdirSync('/run/netns').filter((name) => name.startsWith(`tep-lab-${pid}-`));
}
