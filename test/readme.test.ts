/** What README.md tells to import is there, under that name. */
import { readFileSync } from 'node:fs';
import test from 'ava';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

test('the imports of the readme resolve, and give the names that it imports', async (t) => {
  const imports = [...README.matchAll(/^import \{ (.+) \} from '(ims-tep\/.+)';$/gm)];
  t.true(imports.length > 0);
  for (const [, names = '', module = ''] of imports) {
    const found: object = await import(module);
    for (const name of names.split(', ')) t.true(name in found, `${name} of ${module}`);
  }
});
