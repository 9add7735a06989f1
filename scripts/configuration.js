/**
 * The tables of docs/configuration.md, made of the tables of settings. `--write` renews the page,
 * `--check` (default) fails when it is not current. Needs a build.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { settingsTables } from '../build/config/help.js';
import { CLIENT_KEYS } from '../build/tep-client/settings.js';
import { SERVER_KEYS } from '../build/tep-server/settings.js';

const PAGE = new URL('../docs/configuration.md', import.meta.url);

export function renewed(page) {
  return [
    ['client', CLIENT_KEYS],
    ['server', SERVER_KEYS],
  ].reduce(
    (text, [name, keys]) =>
      text.replace(
        new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
        (_, begin, end) => `${begin}\n${settingsTables(keys)}\n\n${end}`,
      ),
    page,
  );
}

const page = readFileSync(PAGE, 'utf8');
const current = renewed(page);
if (process.argv.includes('--write')) writeFileSync(PAGE, current);
else if (page !== current) {
  console.error('docs/configuration.md is not current: npm run configuration -- --write');
  process.exitCode = 1;
}
