/** The benches claim "0 bytes allocated": this shows that they would see one object. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

test('the benches, run as they always are, see one object per operation, and none where there is none', (t) => {
  const args = ['scripts/run-benches.js', '--quick', 'control'];
  const output = execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const bytes = new Map(lines.map((line) => [line.name, line.bytesPerOp]));
  t.is(bytes.get('control: nothing'), 0);
  // 56 bytes, or half where pointers are compressed. A view: its octets, and two objects.
  const object = bytes.get('control: one object per op');
  t.true(object >= 24 && object < 57, `${object}`);
  const view = bytes.get('control: one view of 200 octets per op');
  t.true(view >= 200 + 2 * 24 && view < 400, `${view}`);
});
