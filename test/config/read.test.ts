import { inspect } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { formatProblem } from '../../config/problem.ts';
import { readSettings } from '../../config/read.ts';
import { CLIENT_KEYS, checkClient } from '../../tep-client/settings.ts';
import { scratch } from './scratch.ts';

const GOOD = `
servers: [ tls://tep.example, "tcp://[2001:db8::1]:8080" ]
user: alice
password: open sesame   # with blanks
tls:
  verify: true
media.to: 203.0.113.0/24
media:
  idle: 2m
`;

function read(t: ExecutionContext, yaml: string, args: string[] = [], env = {}) {
  const { folder, file } = scratch(t);
  file('client.yaml', yaml);
  const sources = { args, env, folder, defaultFile: 'client.yaml' };
  const reading = readSettings(CLIENT_KEYS, checkClient, sources);
  return { ...reading, texts: reading.problems.map(formatProblem) };
}

test('a file becomes typed settings; what it does not say has its default', (t) => {
  const { settings, texts } = read(t, GOOD);
  t.deepEqual(texts, []);
  t.deepEqual(settings?.servers, [
    { host: 'tep.example', port: 443, tls: true },
    { host: '2001:db8::1', port: 8080, tls: false },
  ]);
  t.is(settings?.password?.reveal(), 'open sesame');
  t.is(settings?.['media.idle'], 120_000);
  t.is(settings?.linger, 10_000);
  t.is(settings?.['tls.min-version'], 'TLSv1.2');
  t.deepEqual(settings?.marker, ['User-Agent: 3GPP-IMS-FS_FIRE/1.0']);
  t.is(settings?.proxy, undefined);
});

test('flag before environment before file before default', (t) => {
  const yaml = `${GOOD}\nlinger: 1s\nstripes: 2\n`;
  const env = { TEP_LINGER: '2s', TEP_STRIPES: '3', TEP_CONNECT: '', TEP_AUTH: undefined };
  const { settings, written } = read(t, yaml, ['--linger', '3s', '--no-stun-discover'], env);
  t.is(settings?.linger, 3_000);
  t.is(settings?.stripes, 3);
  t.is(settings?.['stun.discover'], false);
  t.is(settings?.connect, 'auto');
  t.is(written.get('linger')?.where, '--linger');
  t.is(written.get('stripes')?.where, 'TEP_STRIPES');
  t.is(written.get('user')?.where, 'client.yaml:3');
  t.false(written.has('auth'));
});

test('lists: a repeated flag, commas in the environment; each replaces, none adds', (t) => {
  const flags = read(t, GOOD, ['--servers', 'a', '--servers=b']).settings?.servers;
  t.deepEqual(
    flags?.map(({ host }) => host),
    ['a', 'b'],
  );
  const env = { TEP_SERVERS: 'c, d', TEP_MARKER: 'A: 1, 2\nB: 3' };
  const { settings } = read(t, GOOD, [], env);
  t.deepEqual(
    settings?.servers.map(({ host }) => host),
    ['c', 'd'],
  );
  t.deepEqual(settings?.marker, ['A: 1, 2', 'B: 3']);
});

test('everything that is wrong is told at once, each with its place', (t) => {
  const yaml = `servres: tep.example
user: alice
user: bob
tls: { certifcate: x, verify: maybe }
linger: 10
ca: /x
stripes: [1, 2]
media:
  to: [ 10.0.0.1/8 ]
`;
  const args = ['--sevrers', 'x', 'stray'];
  const { texts, settings } = read(t, yaml, args, { TEP_STRIPE: '3' });
  t.is(settings, undefined);
  t.deepEqual(texts, [
    'unknown option --sevrers (did you mean --servers?)',
    'unexpected argument stray',
    'TEP_STRIPE: warning: means nothing here; did you mean TEP_STRIPES?',
    'client.yaml:1: unknown key "servres"; did you mean "servers"?',
    'client.yaml:3: "user" stands in line 2 already',
    'client.yaml:4: unknown key "tls.certifcate"; did you mean "tls.certificate"?',
    'client.yaml:4: tls.verify "maybe" must be true or false',
    'client.yaml:5: linger "10" must be a duration from 0s to 1h with its unit: 500ms, 10s, 2m, 1h',
    'client.yaml:6: unknown key "ca"; did you mean "tls.ca"?',
    'client.yaml:7: "stripes" takes one value, not a list',
    'client.yaml:9: media.to: "10.0.0.1/8" must be media addresses: 203.0.113.0/24, 203.0.113.9:30000-40000/udp or [2001:db8::1]:5004',
  ]);
});

const BROKEN: ReadonlyArray<readonly [string, RegExp]> = [
  ['listen: [::]:80\n', /^client\.yaml:1: .*needs quotes: "\[::\]:80"/],
  ['servers: [ [::]:80 ]\n', /^client\.yaml:1: "servers" holds a map.*needs quotes/],
  ['user: &a alice\nservers: *a\n', /^client\.yaml:2: anchors and aliases/],
  ['user: alice\n---\nuser: bob\n', /^client\.yaml:2: one document only/],
  ['user: #alice\n', /^client\.yaml:1: "user" has no value/],
  ['user:\n', /^client\.yaml:1: "user" has no value/],
  ['- a\n', /^client\.yaml:1: keys with values are expected/],
  ['"a\n', /^client\.yaml:\d: Missing closing/],
  ['\tuser: a\n', /^client\.yaml:1: /],
  ['? [a]\n: b\n', /^client\.yaml:1: a key must be a word/],
  ['tls.ca: /a\ntls: { ca: /b }\n', /^client\.yaml:2: "tls\.ca" stands in line 1 already/],
  ['<<: { user: a }\n', /^client\.yaml:1: unknown key "<<\.user"/],
  [`${'['.repeat(5_000)}\n`, /^client\.yaml:1: /],
  ['tls: x\n', /^client\.yaml:1: unknown key "tls"/],
  ['__proto__: x\n', /^client\.yaml:1: unknown key "__proto__"/],
  ['servers: {a: b}\n', /^client\.yaml:1: unknown key "servers\.a"/],
];

for (const [yaml, message] of BROKEN) {
  test(`refused with its line: ${JSON.stringify(yaml.slice(0, 40))}`, (t) => {
    const { settings, texts } = read(t, yaml);
    t.is(settings, undefined);
    t.true(
      texts.some((text) => message.test(text)),
      inspect(texts),
    );
  });
}

test('an empty file and a file of comments say nothing', (t) => {
  for (const yaml of ['', '# nothing\n', '---\n']) {
    const { texts } = read(t, yaml);
    t.deepEqual(
      texts.map((text) => text.split(':', 1)[0]),
      ['servers', 'media.to'],
    );
  }
});

test('a file that was asked for must be there, the usual one need not', (t) => {
  const { folder } = scratch(t);
  const sources = { env: {}, folder, defaultFile: 'none.yaml' };
  const flags = ['--servers=a', '--media-to=203.0.113.0/24', '--auth=none'];
  const usual = readSettings(CLIENT_KEYS, checkClient, { ...sources, args: flags });
  t.deepEqual(usual.problems, []);
  // What is missing would stand in it.
  const none = readSettings(CLIENT_KEYS, checkClient, { ...sources, args: [] });
  t.is(none.problems.map(formatProblem)[0], 'none.yaml: does not exist');
  const args = ['--config', 'asked.yaml'];
  const asked = readSettings(CLIENT_KEYS, checkClient, { ...sources, args });
  t.deepEqual(asked.problems[0], {
    severity: 'error',
    where: `${folder}/asked.yaml`,
    text: 'does not exist',
  });
  const isFolder = readSettings(CLIENT_KEYS, checkClient, { ...sources, args: ['--config=.'] });
  t.is(isFolder.problems[0]?.text, 'is a folder');
});

test('a relative name of a file that is not there is told with where it was looked for', (t) => {
  const { folder } = scratch(t);
  const { texts } = read(t, `${GOOD}tls.ca: ca.pem\n`);
  t.is(texts.length, 1);
  t.regex(texts[0] ?? '', /^client\.yaml:10: tls\.ca "ca\.pem" \(\/.*\/ca\.pem\) does not exist$/);
  const absolute = read(t, `${GOOD}tls.ca: ${folder}/ca.pem\n`);
  t.deepEqual(absolute.texts, [`client.yaml:10: tls.ca "${folder}/ca.pem" does not exist`]);
});

test('an option that is there or not takes no value', (t) => {
  t.deepEqual(read(t, GOOD, ['--check=no']).texts, ['--check takes no value']);
  t.is(read(t, GOOD, ['--check']).own.check, 'true');
});

test('a secret comes from its own file, the higher rank of two, and never from the command line', (t) => {
  const { folder, file } = scratch(t);
  file('secret', 'from file\n');
  file('client.yaml', `${GOOD.replace(/password:.*/, 'password-file: secret')}`);
  const read = (args: string[], env: Record<string, string>) =>
    readSettings(CLIENT_KEYS, checkClient, { args, env, folder, defaultFile: 'client.yaml' });
  t.is(read([], {}).settings?.password?.reveal(), 'from file');
  t.is(read([], { TEP_PASSWORD: 'env' }).settings?.password?.reveal(), 'env');
  const flag = read(['--password-file', 'secret'], { TEP_PASSWORD: 'env' });
  t.is(flag.settings?.password?.reveal(), 'from file');
  const both = read([], { TEP_PASSWORD: 'a', TEP_PASSWORD_FILE: 'secret' });
  t.is(
    both.problems.map(formatProblem).join(),
    'TEP_PASSWORD_FILE: password: give either "password" or "password-file", not both',
  );
  file('client.yaml', `${GOOD.replace(/password:.*/, 'password-file: none')}`);
  t.deepEqual(read([], {}).problems.map(formatProblem), [
    `client.yaml:4: password: ${folder}/none does not exist`,
  ]);
  for (const args of [['--password', 'hunter2'], ['--password=hunter2'], ['--password']]) {
    const [problem] = read(args, {}).problems.map(formatProblem);
    t.regex(problem ?? '', /^--password is a secret, .* or --password-file FILE$/);
    t.notRegex(problem ?? '', /hunter2/);
  }
});

test('a secret in a file for everyone is a warning', (t) => {
  const { folder, file } = scratch(t);
  const name = file('client.yaml', GOOD, 0o644);
  file('secret', 'x', 0o644);
  const sources = { env: {}, folder, defaultFile: 'client.yaml' };
  const inFile = readSettings(CLIENT_KEYS, checkClient, { ...sources, args: [] });
  t.deepEqual(inFile.problems.map(formatProblem), [
    `warning: ${name} holds secrets and can be read by every user: chmod o-rwx ${name}`,
  ]);
  t.truthy(inFile.settings);
  const other = readSettings(CLIENT_KEYS, checkClient, {
    ...sources,
    args: ['--password-file=secret'],
  });
  t.regex(
    other.problems.map(formatProblem).join('\n'),
    /^--password-file: warning: .*\/secret holds/m,
  );
});

test('messages and dumps never show a secret', (t) => {
  const { settings } = read(t, GOOD);
  for (const dump of [
    inspect(settings, { depth: 9 }),
    JSON.stringify(settings),
    `${settings?.password}`,
  ]) {
    t.regex(dump, /hidden/);
    t.notRegex(dump, /sesame/);
  }
});
