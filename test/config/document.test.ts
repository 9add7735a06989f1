/** What is written about settings is what the tables say. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { settingsHelp } from '../../config/help.ts';
import { flagName, type Keys, variableName } from '../../config/key.ts';
import { readSettings } from '../../config/read.ts';
import { readYaml } from '../../config/yaml.ts';
import { CLIENT_KEYS, checkClient } from '../../tep-client/settings.ts';
import { checkServer, SERVER_KEYS } from '../../tep-server/settings.ts';
import { scratch } from './scratch.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TABLES: ReadonlyArray<readonly [string, Keys]> = [
  ['client', CLIENT_KEYS],
  ['server', SERVER_KEYS],
];

test('docs/configuration.md is current', (t) => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/configuration.js'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  t.is(status, 0, stderr);
});

test('the annotated examples are configurations without a mistake', (t) => {
  const { folder, file } = scratch(t);
  file('client.password', 'secret');
  file('users', 'alice:secret');
  for (const name of ['client', 'server']) {
    file(`${name}.yaml`, readFileSync(`${ROOT}docs/examples/${name}.yaml`, 'utf8'));
  }
  const sources = { args: [], env: {}, folder };
  const client = readSettings(CLIENT_KEYS, checkClient, { ...sources, defaultFile: 'client.yaml' });
  t.deepEqual(client.problems, []);
  const server = readSettings(SERVER_KEYS, checkServer, { ...sources, defaultFile: 'server.yaml' });
  t.deepEqual(server.problems, []);
});

test('what the examples have commented out are keys too', (t) => {
  for (const [name, keys] of TABLES) {
    const text = readFileSync(`${ROOT}docs/examples/${name}.yaml`, 'utf8');
    const { entries, faults } = readYaml(text.replaceAll(/^#(?=[a-z ])(?! [a-zA-Z])/gm, ''));
    t.deepEqual(faults, []);
    for (const entry of entries) t.true(entry.name in keys, `${name}: ${entry.name}`);
  }
});

for (const [name, keys] of TABLES) {
  test(`settings of the ${name}: names are distinct everywhere, defaults and examples are right`, (t) => {
    const names = Object.keys(keys);
    t.is(new Set(names.map(flagName)).size, names.length);
    t.is(new Set(names.map(variableName)).size, names.length);
    const place = { folder: '/', warn: () => {} };
    for (const [
      key,
      { default: fallback = [], example, read, kind, meaning, orFile },
    ] of Object.entries(keys)) {
      const texts = typeof fallback === 'string' ? [fallback] : fallback;
      t.true('value' in read(texts, place), key);
      const isFile = kind.placeholder === 'FILE';
      if (example !== undefined && !isFile) t.true('value' in read([example], place), key);
      t.notRegex(meaning, /\.$|\n/, key);
      if (orFile !== undefined) t.true(orFile in keys, key);
      // Whoever adds a secret must give it a way that is not the command line.
      if (kind.isSecret) t.truthy(orFile, key);
    }
  });

  test(`the help of the ${name} names every setting and fits a terminal`, (t) => {
    const help = settingsHelp(keys);
    for (const key of Object.keys(keys)) t.true(help.includes(`\n  ${key}: `), key);
    for (const line of help.split('\n')) t.true(line.length <= 120, line);
  });
}
