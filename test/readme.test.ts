/** What documents tell to import is there, under that name. */
import { readFileSync } from 'node:fs';
import test from 'ava';

const DOCUMENTS = ['README.md', 'docs/sip.md'];

for (const document of DOCUMENTS) {
  test(`the imports of ${document} resolve, and give the names that it imports`, async (t) => {
    const text = readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8');
    const imports = [...text.matchAll(/^import \{ (.+) \} from '(ims-tep\/.+)';$/gm)];
    t.true(imports.length > 0);
    for (const [, names = '', module = ''] of imports) {
      const found: object = await import(module);
      for (const name of names.split(', ')) t.true(name in found, `${name} of ${module}`);
    }
  });
}
