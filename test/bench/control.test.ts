/** The benches claim "0 bytes allocated": this shows that they would see one object. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

test('the bench harness sees one object per operation, and none where there is none', (t) => {
  const words = ['scripts/run-benches.js', '--quick', 'control'];
  const output = execFileSync(process.execPath, words, { cwd: ROOT }).toString();
  const lines = output.trim().split('\n');
  const bytes = new Map(lines.map((line) => JSON.parse(line)).map((r) => [r.name, r.bytesPerOp]));
  t.is(bytes.get('control: nothing'), 0);
  t.true(bytes.get('control: one object per op') >= 24);
  t.true(bytes.get('control: one view of 200 octets per op') >= 200);
});
