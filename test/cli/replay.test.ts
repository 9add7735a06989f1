/** The command line of `tep replay`: arguments, output, files, interruption. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import test from 'ava';
import { dispatch } from '../../cli/dispatch.ts';
import { command } from '../../cli/replay.ts';
import { readAll } from '../io/pcap/make.ts';
import { newFile, Story } from '../replay/story.ts';
import { fakeWorld } from './world.ts';

const UE = '10.0.0.2:4000';
const MEDIA = '198.51.100.7:30000';

function call(): string {
  return new Story().rtp(UE, MEDIA, 6).rtp(MEDIA, UE, 6).write();
}

for (const [args, message] of [
  [[], 'capture file missing'],
  [['a.pcap', '--ue', 'phone'], '--ue phone: must be an address such as 10.20.0.2'],
  [['a.pcap', '--ue', '10.0.0.1/8'], '--ue 10.0.0.1/8: must be an address such as 10.20.0.2'],
  [['a.pcap', '--public', 'x'], '--public x: must be an address such as 203.0.113.80'],
  [['a.pcap', '--tunel-out', 'x'], 'unknown option --tunel-out (did you mean --tunnel-out?)'],
  [['a.pcap', 'b.pcap', '--core-out', 'x'], 'files are written for one capture at a time'],
  [['a.pcap', '--seed', '-1'], '--seed -1: must be a whole number from 0 to 2147483648'],
] as const) {
  test(`wrong usage: replay ${args.join(' ')}`, async (t) => {
    const world = fakeWorld();
    t.is(await dispatch(['replay', ...args], world), 2);
    t.is(world.err(), `tep: ${message}\n`);
    t.is(world.out(), '');
  });
}

test('--media that cannot be read is told with examples', async (t) => {
  const world = fakeWorld();
  t.is(await dispatch(['replay', 'a.pcap', '--media', '1.2.3.4:x'], world), 2);
  t.regex(world.err(), /^tep: --media 1\.2\.3\.4:x: must be .*such as 198\.51\.100\.7:20000-20100/);
});

test('a table with a row for each file and a sum', async (t) => {
  const [one, two] = [call(), call()];
  const world = fakeWorld();
  t.is(await command.run([one, two], world), 0);
  const lines = world.out().trimEnd().split('\n');
  t.regex(lines[0] ?? '', /^ +packets +media +up +down +carried +dropped +changed/);
  t.regex(lines[1] ?? '', new RegExp(`^${one} +12 +12 +6 +6 +12 +0 +0 +0 +0 +0$`));
  t.regex(lines[3] ?? '', /^total +24 +24 +12 +12 +24 +0 +0 +0 +0 +0$/);
  t.is(lines.at(-1), 'Every media packet came out of the tunnel as it should.');
  t.is(new Set(lines.slice(0, 4).map((line) => line.length)).size, 1);
});

test('JSON: the sums, then each file; a file that cannot be read has its problem', async (t) => {
  const file = call();
  const missing = newFile('missing.pcap');
  const world = fakeWorld();
  t.is(await command.run([file, missing, '--json'], world), 1);
  const { files, ...total } = JSON.parse(world.out());
  t.like(total, { ok: false, packets: 12, carried: 12, dropped: {} });
  t.like(files[0], { file, ok: true, carried: 12, ue: ['10.0.0.2'], media: ['198.51.100.7'] });
  t.like(files[1], { file: missing, ok: false, problem: `${missing}: unreadable: no such file` });
  t.is(world.err(), `tep: ${missing}: unreadable: no such file\n`);
});

test('[M-11, M-13] the files: public address at the core both ways, the packets of the capture at the UE', async (t) => {
  const file = call();
  const [tunnel, core, ue] = ['tunnel', 'core', 'ue'].map((name) => newFile(`${name}.pcap`));
  const world = fakeWorld();
  const args = ['--tunnel-out', tunnel, '--core-out', core, '--ue-out', ue];
  t.is(await command.run([file, ...args.map(String)], world), 0);
  const captured = (await readAll(file)).packets;
  const atCore = (await readAll(String(core))).packets;
  const atUe = (await readAll(String(ue))).packets;
  const PUBLIC_HEX = 'cb007150';
  const isUp = (octets: string) => octets.slice(32, 40) === 'c6336407';
  t.is(atCore.length, 12);
  for (const [i, packet] of atCore.entries()) {
    const at = isUp(packet.octets) ? 24 : 32;
    t.is(packet.octets.slice(at, at + 8), PUBLIC_HEX);
    t.like(captured[i], { seconds: packet.seconds, nanoseconds: packet.nanoseconds });
    t.true(captured[i]?.octets.endsWith(packet.octets.slice(56)));
  }
  t.deepEqual(
    atUe,
    captured.filter(({ octets }) => !isUp(octets)),
  );
  t.true((await readAll(String(tunnel))).packets.length > 24);
});

test('a file that cannot be written: one line, status 1, no other file', async (t) => {
  const core = newFile('core.pcap');
  const tunnel = newFile('folder/that/is/not/there.pcap');
  const world = fakeWorld();
  const args = ['replay', call(), '--core-out', core, '--tunnel-out', tunnel];
  t.is(await dispatch(args, world), 1);
  t.regex(world.err(), /^tep: .*there\.pcap: cannot be written: no such directory\n$/);
  t.false(existsSync(core));
});

test('interrupted: no file appears, an older one stays, nothing half-written is left', async (t) => {
  const core = newFile('core.pcap');
  writeFileSync(core, 'older');
  const world = fakeWorld();
  const running = command.run([call(), '--core-out', core], world);
  world.interruptNow();
  t.is(await running, 1);
  t.regex(world.err(), /: interrupted\n$/);
  t.is(readFileSync(core, 'utf8'), 'older');
  const left = readdirSync(dirname(core)).filter((name) => name.startsWith(`${basename(core)}.`));
  t.deepEqual(left, []);
});
