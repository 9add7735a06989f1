import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Failure, UsageError } from '../../cli/command.ts';
import type { Report } from '../../cli/demo/report.ts';
import { command } from '../../cli/demo.ts';
import { labMissing } from '../../lab/requirements.ts';
import { fakeWorld } from './world.ts';

const BIN = fileURLToPath(new URL('../../cli/tep.js', import.meta.url));

const ESCAPE = '\u001b';

function visible(text: string): string {
  return text.replaceAll(ESCAPE, '<ESC>');
}

test('short demo as JSON: everything sent arrived whole', async (t) => {
  const world = fakeWorld();
  t.is(await command.run(['--calls', '3', '--seconds', '0.5', '--json'], world), 0);
  const report: Report = JSON.parse(world.out());
  t.like(report, {
    ok: true,
    calls: 3,
    sent: 150,
    received: 150,
    lost: 0,
    corrupted: 0,
    duplicates: 0,
    rtcpSent: 6,
    rtcpReceived: 6,
    tunnelDrops: {},
    tunnelPackets: 156,
    // IP and UDP headers of 28 octets, nothing else.
    tunnelOctets: 150 * (172 + 28) + 6 * (28 + 28),
  });
  t.true(report.p50Ms > 0 && report.p50Ms <= report.p99Ms && report.p99Ms <= report.maxMs);
  t.true(report.mos >= 1 && report.mos <= 4.41 && report.mosMin <= report.mos);
  t.true(report.seconds >= 0.48);
  t.is(world.err(), '');
});

test('the text that is not for a terminal is the summary only', async (t) => {
  const world = fakeWorld();
  t.is(await command.run(['--calls', '1', '--seconds', '0.1'], world), 0);
  t.regex(world.out(), /^\n {2}Every packet arrived whole\.\n/);
  t.regex(world.out(), /RTP {7}10 sent, 10 arrived, 0 lost, 0 changed/);
  t.false(world.out().includes(ESCAPE));
});

test('on a terminal: what it shows, a table drawn in place, then the summary', async (t) => {
  const world = fakeWorld();
  const stdout = Object.assign(world.stdout, { isTTY: true, columns: 80 });
  t.is(await command.run(['--calls', '2', '--seconds', '0.1'], { ...world, stdout }), 0);
  const [beginning, ...drawings] = visible(world.out()).split('<ESC>[3F');
  t.regex(beginning ?? '', /phone .*TEP-C .*TCP.* TEP-S .*gateway/);
  t.true(drawings.length >= 1);
  const [head, first, second, ...after] = drawings.at(-1)?.split('\n') ?? [];
  t.regex(head ?? '', /^<ESC>\[2K +call +public address/);
  t.regex(first ?? '', / {4}1 {2}127\.0\.0\.1:\d+ +10 +10 +0 /);
  t.regex(second ?? '', / [1-4]\.\d\d$/);
  for (const line of visible(world.out())
    .replaceAll(/<ESC>\[\w+/g, '')
    .split('\n')) {
    t.true(line.length < 80, line);
  }
  t.regex(after.join('\n'), /Every packet arrived whole/);
});

test('on a low terminal: as many calls as fit', async (t) => {
  const world = fakeWorld();
  const stdout = Object.assign(world.stdout, { isTTY: true, columns: 80, rows: 5 });
  t.is(await command.run(['--calls', '4', '--seconds', '0.1'], { ...world, stdout }), 0);
  t.true(visible(world.out()).includes('<ESC>[4F'));
  t.regex(world.out(), /… and 2 more calls/);
});

test('an interrupt ends it early, with what was measured', async (t) => {
  const world = fakeWorld();
  const { stdout, interruptNow } = world;
  const write = stdout.write.bind(stdout);
  const watched = Object.assign(stdout, {
    isTTY: true,
    write: (text: string) => {
      // A line of the table: the first call, some sent, some arrived.
      if (/^\S+ +1 {2}127\.0\.0\.1:\d+ +[1-9]\d* +[1-9]/m.test(visible(text))) interruptNow();
      return write(text);
    },
  });
  const args = ['--calls', '1', '--seconds', '3600'];
  t.is(await command.run(args, { ...world, stdout: watched }), 0);
  const [, sent, arrived] = /RTP +([\d,]+) sent, ([\d,]+) arrived, 0 lost/.exec(world.out()) ?? [];
  t.is(arrived, sent);
  t.true(Number(sent?.replaceAll(',', '')) < 30_000, sent);
});

test('the real program', async (t) => {
  const args = [BIN, 'demo', '--calls', '2', '--seconds', '0.2', '--json'];
  const tep = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [status]] = await Promise.all([
    text(tep.stdout),
    text(tep.stderr),
    once(tep, 'exit'),
  ]);
  t.is(err, '');
  t.is(status, 0);
  t.like(JSON.parse(out), { ok: true, calls: 2, sent: 40, received: 40, corrupted: 0 });
});

test('SIGINT at the real program gives the summary and a clean exit', async (t) => {
  // Shown as on a terminal, so that there is a sign of life to wait for.
  const asTerminal = 'data:text/javascript,process.stdout.isTTY=true';
  const args = ['--import', asTerminal, BIN, 'demo', '--calls', '1', '--seconds', '3600'];
  const tep = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => tep.kill());
  let out = '';
  tep.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (!out.includes('jitter') && (out + chunk).includes('jitter')) tep.kill('SIGINT');
    out += chunk;
  });
  const [status] = await once(tep, 'close');
  t.is(status, 0);
  t.regex(out, /Every packet arrived whole/);
});

test('too few file descriptors: one line, status 1, no hanging', async (t) => {
  const line = `ulimit -n 60 && exec '${process.execPath}' '${BIN}' demo --calls 50`;
  const tep = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [status]] = await Promise.all([
    text(tep.stdout),
    text(tep.stderr),
    once(tep, 'exit'),
  ]);
  t.is(out, '');
  t.regex(err, /^tep: [^\n]*EMFILE[^\n]*\n$|^tep: no public address: [^\n]*\n$/);
  t.is(status, 1);
});

test('ended before the first packet, nothing has been shown: one line, and status 1', async (t) => {
  const world = fakeWorld();
  world.interruptNow();
  const run = command.run(['--calls', '1', '--seconds', '3600'], world);
  await t.throwsAsync(run, { instanceOf: Failure, message: 'ended before the first packet' });
  t.is(world.out(), '');
});

(existsSync('/proc/self/task') ? test : test.skip)(
  'the agents end with the demo, even when it is killed',
  async (t) => {
    const asTerminal = 'data:text/javascript,process.stdout.isTTY=true';
    const args = ['--import', asTerminal, BIN, 'demo', '--calls', '1', '--seconds', '3600'];
    // What a killed demo leaves of files is to be found.
    const folder = mkdtempSync(join(tmpdir(), 'tep-killed-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const env = { ...process.env, TMPDIR: folder };
    const tep = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
    t.teardown(() => tep.kill('SIGKILL'));
    await once(tep.stdout, 'data');
    const children = readFileSync(`/proc/${tep.pid}/task/${tep.pid}/children`, 'utf8');
    const agents = children.trim().split(' ');
    t.is(agents.length, 2);
    tep.kill('SIGKILL');
    while (agents.some((pid) => existsSync(`/proc/${pid}`))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
);

test('a firewall that there is not is wrong usage', async (t) => {
  const run = command.run(['--netns', '--firewall', 'web'], fakeWorld());
  const message = /^--firewall web: must be one of web-only, /;
  await t.throwsAsync(run, { instanceOf: UsageError, message });
});

test('a firewall without the networks that it would be in is wrong usage', async (t) => {
  const run = command.run(['--firewall', '443-only'], fakeWorld());
  await t.throwsAsync(run, { instanceOf: UsageError, message: '--firewall is for --netns' });
});

// Run as root by the tests with networks, by everybody else here.
if (labMissing() !== undefined) {
  test('--netns where it cannot be: what is missing', async (t) => {
    const run = command.run(['--netns'], fakeWorld());
    await t.throwsAsync(run, { instanceOf: Failure, message: labMissing() ?? '' });
  });
}
