/** Files that a configuration names. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';
import { readSecretFile } from '../../config/file-kinds.ts';
import { peerTest } from '../peers.ts';
import { scratch } from './scratch.ts';

const PLACE = { folder: '/', warn: () => {} };

test('a file that has no end is refused, not read for ever', (t) => {
  t.deepEqual(readSecretFile('/dev/zero', PLACE), { wrong: 'is larger than 65536 octets' });
});

test('a file whose size tells nothing of what is in it is read', (t) => {
  const read = readSecretFile('/proc/sys/kernel/ostype', PLACE);
  t.is('value' in read && read.value.reveal(), 'Linux');
});

peerTest('mkfifo', 'a pipe is refused, not waited for', (t) => {
  const pipe = join(scratch(t).folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const wrong = 'is a pipe, which a reload could not read again';
  t.deepEqual(readSecretFile(pipe, PLACE), { wrong });
});
