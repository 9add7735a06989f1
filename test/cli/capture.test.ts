import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { capture, command } from '../../cli/capture.ts';
import { UsageError } from '../../cli/command.ts';
import { KINDS } from '../../io/cap/messages.ts';
import { readCapture } from '../../io/pcap/read.ts';
import { FakeChild, frameMessage, message, openedMessage } from '../io/cap/child.ts';
import { fakeWorld } from './world.ts';

function file(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tep-capture-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'a.pcap');
}

/** A process that captured these frames already. */
function captured(...texts: readonly string[]): FakeChild {
  return new FakeChild().say(openedMessage(1), ...texts.map((text, i) => frameMessage(i, text)));
}

async function texts(path: string): Promise<string[]> {
  const found: string[] = [];
  const reading = readCapture(path);
  for await (const batch of reading) {
    for (const { b, at, end } of batch) found.push(String(Buffer.from(b.subarray(at, end))));
  }
  return found;
}

test('ends after --count packets, with the counts; the file is whole', async (t) => {
  const world = fakeWorld();
  const path = file(t);
  const args = ['-i', 'eth0', '-w', path, '--count', '2'];
  t.is(await capture(args, world, () => captured('one', 'two', 'three')), 0);
  t.deepEqual(await texts(path), ['one', 'two']);
  t.regex(
    world.err(),
    /^capturing on eth0; .*\n2 packets, 6 octets in .*a\.pcap; what .* not known\n$/,
  );
  t.is(world.out(), '');
});

test('Ctrl-C and SIGTERM end it in order; --json', async (t) => {
  for (const how of ['interrupt', 'SIGTERM'] as const) {
    const world = fakeWorld();
    const path = file(t);
    const child = captured('one');
    const done = capture(['-i', 'eth0', '-w', path, '--json'], world, () => child);
    child.stdout.once('data', () => {
      if (how === 'interrupt') world.interruptNow();
      else t.true(world.signal('SIGTERM'));
    });
    t.is(await done, 0);
    const report = { device: 'eth0', file: path, packets: 1, octets: 3, end: 'stopped' };
    t.deepEqual(JSON.parse(world.out()), report);
    t.false(world.signal('SIGTERM'), 'given back');
  }
});

test('--seconds ends it', async (t) => {
  const args = ['-i', 'eth0', '-w', file(t), '--seconds', '0.1'];
  t.is(await capture(args, fakeWorld(), () => captured()), 0);
});

test('--seconds counts from when the interface is open, not while the process begins', async (t) => {
  const child = new FakeChild();
  let isAsked = false;
  child.asked = () => {
    isAsked = true;
    child.say(message(KINDS.CLOSED, new Uint8Array(0))).end(0, null);
  };
  const args = ['-i', 'eth0', '-w', file(t), '--seconds', '0.1'];
  const done = capture(args, fakeWorld(), () => child);
  await setTimeout(200);
  t.false(isAsked);
  child.say(openedMessage(1));
  t.is(await done, 0);
  t.true(isAsked);
});

test('--seconds takes no more than a timer does', async (t) => {
  const timer = 2 ** 31 - 1;
  const seconds = /--seconds S +.*0\.1 to (\d+) s/.exec(command.help)?.[1];
  t.true(Number(seconds) > 1e6 && Number(seconds) * 1_000 <= timer, seconds);
});

test('to standard output: the same octets as in a file', async (t) => {
  const world = fakeWorld();
  const path = file(t);
  const run = (to: string) =>
    capture(['-i', 'eth0', '-w', to, '--count', '2'], world, () => captured('one', 'two'));
  t.is(await run('-'), 0);
  t.is(await run(path), 0);
  t.is(world.out(), readFileSync(path).toString());
  t.regex(world.err(), /2 packets, 6 octets in standard output/);
});

test('the interface is gone: status 1, told, and the file is kept', async (t) => {
  const world = fakeWorld();
  const path = file(t);
  const child = captured('one');
  child.end(null, 'SIGABRT');
  t.is(await capture(['-i', 'no-such-one', '-w', path], world, () => child), 1);
  t.deepEqual(await texts(path), ['one']);
  t.regex(
    world.err(),
    /\ntep: interface no-such-one is gone; what was captured until then is kept\n$/,
  );
});

test('without libpcap: what to install, status 1, no file', async (t) => {
  const world = fakeWorld();
  const path = file(t);
  const child = new FakeChild();
  child
    .say(message(KINDS.FAILED, Buffer.from('ENOLIBPCAP Cannot find module\n- stack')))
    .end(0, null);
  t.is(await capture(['-i', 'eth0', '-w', path], world, () => child), 1);
  t.regex(world.err(), /^tep: live capture is not built here: Cannot find module\n/);
  for (const words of ['libpcap-dev', 'libpcap-devel', 'apk add', 'npm rebuild cap', 'nodedir']) {
    t.true(world.err().includes(words), words);
  }
  t.false(existsSync(path));
});

for (const [said, text] of [
  ['EPCAP socket: Operation not permitted', /^tep: eth0: capturing needs root or CAP_NET_RAW/],
  ['EPCAP syntax error', /^tep: eth0, filter "udp prot 5": syntax error\n$/],
] as const) {
  test(`refused: ${said}`, async (t) => {
    const world = fakeWorld();
    const child = new FakeChild();
    child.say(message(KINDS.FAILED, Buffer.from(said))).end(0, null);
    const args = ['-i', 'eth0', '-w', file(t), '--filter', 'udp prot 5'];
    t.is(await capture(args, world, () => child), 1);
    t.regex(world.err(), text);
  });
}

test('a file that cannot be written ends it, with the reason', async (t) => {
  const args = ['-i', 'eth0', '-w', '/nowhere/a.pcap'];
  const message = /^\/nowhere\/a\.pcap: cannot be written: no such directory$/;
  await t.throwsAsync(
    capture(args, fakeWorld(), () => captured('one')),
    { message },
  );
});

test('wrong usage', async (t) => {
  for (const args of [
    ['-w', 'a.pcap'],
    ['-i', 'eth0'],
    ['-i', 'eth0', '-w', '-', '--json'],
    ['-i', 'eth0', '-w', 'a.pcap', '--count', '0'],
  ]) {
    await t.throwsAsync(capture(args, fakeWorld()), { instanceOf: UsageError }, args.join(' '));
  }
});

(process.platform === 'linux' ? test : test.skip)('an interface that is not there', async (t) => {
  const args = ['-i', 'no-such-one', '-w', file(t)];
  await t.throwsAsync(capture(args, fakeWorld()), { message: 'there is no interface no-such-one' });
});
