/** Where `tep replay` may write, and what it says when it cannot. */
import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { dispatch } from '../../../cli/dispatch.ts';
import { temporaryFolder } from '../../io/pcap/make.ts';
import { fakeWorld } from '../world.ts';

const CAPTURE = fileURLToPath(new URL('../../../../captures/pcmu-call.pcap', import.meta.url));
const folder = temporaryFolder();

async function replay(...args: readonly string[]): Promise<[number, string]> {
  const world = fakeWorld();
  const status = await dispatch(['replay', ...args], world);
  return [status, world.err()];
}

test('the capture itself is not written over, by whatever name it is called', async (t) => {
  const capture = join(folder, 'call.pcap');
  copyFileSync(CAPTURE, capture);
  symlinkSync('call.pcap', join(folder, 'symbolic.pcap'));
  linkSync(capture, join(folder, 'hard.pcap'));
  const names = ['call.pcap', 'symbolic.pcap', 'hard.pcap'].map((name) => join(folder, name));
  for (const out of [...names, `${folder}/./call.pcap`]) {
    const said = await replay(capture, '--core-out', out);
    t.deepEqual(said, [2, `tep: ${out}: is in use already, give another\n`]);
  }
  t.deepEqual(readFileSync(capture), readFileSync(CAPTURE));
});

test('two outputs into one file, and a file without a name, are wrong usage', async (t) => {
  const out = join(folder, 'both.pcap');
  t.deepEqual(await replay(CAPTURE, '--core-out', out, '--ue-out', out), [
    2,
    `tep: ${out}: is in use already, give another\n`,
  ]);
  t.is((await replay(CAPTURE, '--core-out', ''))[0], 2);
});

test('a file that cannot be written: one line with the file and why, status 1, nothing left', async (t) => {
  const here = join(folder, 'outputs');
  mkdirSync(join(here, 'sub'), { recursive: true });
  const first = join(here, 'core.pcap');
  for (const [name, why] of [
    ['sub', 'a directory'],
    ['none/ue.pcap', 'no such directory'],
  ] as const) {
    const out = join(here, name);
    const said = await replay(CAPTURE, '--core-out', first, '--ue-out', out);
    t.deepEqual(said, [1, `tep: ${out}: cannot be written: ${why}\n`]);
  }
  t.deepEqual(readdirSync(here), ['sub']);
});
