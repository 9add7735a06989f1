/** Files that a configuration names. */
import test from 'ava';
import { readSecretFile } from '../../config/file-kinds.ts';

const PLACE = { folder: '/', warn: () => {} };

test('a file that has no end is refused, not read for ever', (t) => {
  t.deepEqual(readSecretFile('/dev/zero', PLACE), { wrong: 'is larger than 65536 octets' });
});

test('a file whose size tells nothing of what is in it is read', (t) => {
  const read = readSecretFile('/proc/sys/kernel/ostype', PLACE);
  t.is('value' in read && read.value.reveal(), 'Linux');
});
