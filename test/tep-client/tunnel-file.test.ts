/** The note of a tunnel for a successor: right, private, and worth nothing when it is old or odd. */
import { readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type Noted, TunnelFile } from '../../tep-client/tunnel-file.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { scratch } from '../config/scratch.ts';

const UE = parseEndpoint('10.0.0.2:4000');
const UE6 = parseEndpoint('[2001:db8::2]:2855');

const NOTED: Noted = {
  server: 'tls://tep.example:443',
  memory: {
    token: Uint8Array.from({ length: 16 }, (_, i) => 240 + i),
    lifetimeMs: 30_000,
    bindings: [
      ...(UE ? [{ ue: UE, protocol: 17 as const, port: 20_000, pair: true }] : []),
      ...(UE6 ? [{ ue: UE6, protocol: 6 as const, port: 20_002, pair: false }] : []),
    ],
  },
};

function noted(folder: string) {
  const path = join(folder, 'run', 'client.tunnel');
  const file = new TunnelFile(path, (fault) => {
    throw new Error(fault.text);
  });
  return { path, file };
}

test('[W-7] what was noted is read again, and can be read by nobody else', (t) => {
  const { file, path } = noted(scratch(t).folder);
  t.is(file.read(), undefined);
  file.write({ ...NOTED, server: 'tcp://other.example:80' });
  file.write(NOTED);
  t.deepEqual(new TunnelFile(path, () => t.fail()).read(), NOTED);
  t.is(statSync(path).mode & 0o777, 0o600);
  file.remove();
  t.is(file.read(), undefined);
  file.remove();
});

test('[W-7] a note is forgotten when TEP-S has forgotten the tunnel', (t) => {
  const { file, path } = noted(scratch(t).folder);
  file.write(NOTED);
  const at = (agoMs: number) => {
    const then = new Date(Date.now() - agoMs);
    utimesSync(path, then, then);
    return file.read();
  };
  t.deepEqual(at(80_000), NOTED);
  t.is(at(91_000), undefined);
  file.remove();
});

test('[W-7] any part of a note, and any octet changed: nothing, or a note of the same shape', (t) => {
  const { folder, file: write } = scratch(t);
  const { file, path } = noted(folder);
  file.write(NOTED);
  const text = readFileSync(path, 'utf8');
  const read = (changed: string) => new TunnelFile(write('odd', changed), () => t.fail()).read();
  for (let end = 0; end < text.length - 2; end++) t.is(read(text.slice(0, end)), undefined);
  for (let at = 0; at < text.length; at++) {
    for (const octet of ['"', '0', '9', '}', '-', 'x', '\\u0000']) {
      const { memory } = read(`${text.slice(0, at)}${octet}${text.slice(at + 1)}`) ?? {};
      if (memory === undefined) continue;
      t.is(memory.token.length, 16);
      for (const { port, ue, pair } of memory.bindings) {
        t.true(port >= 1 && port <= 65_535 && ue.port >= 1);
        t.true(!pair || (port % 2 === 0 && ue.port % 2 === 0));
      }
    }
  }
  for (const odd of ['null', '[]', '{}', '1', `"${'x'.repeat(100_000)}"`])
    t.is(read(odd), undefined);
  file.remove();
});

test('a folder that cannot be written is told, and costs no more than that', (t) => {
  const { file: write } = scratch(t);
  const faults: string[] = [];
  const file = new TunnelFile(join(write('no-folder', ''), 'client.tunnel'), ({ code }) => {
    faults.push(code);
  });
  file.write(NOTED);
  t.is(faults.length, 1);
  t.true(['ENOTDIR', 'EEXIST'].includes(faults[0] ?? ''), faults[0]);
  t.is(file.read(), undefined);
});
