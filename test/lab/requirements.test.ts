import test from 'ava';
import { labMissing, systemEnvironment } from '../../lab/requirements.ts';

test('what is missing is said in one line with what to do', (t) => {
  const said = labMissing();
  const isRoot = process.getuid?.() === 0;
  if (isRoot) t.not(said, 'network namespaces need root: run it with sudo');
  else t.is(said, 'network namespaces need root: run it with sudo');
});

test('system programs are found before those of packages with the same names', (t) => {
  const folders = systemEnvironment().PATH?.split(':') ?? [];
  const packages = folders.findIndex((folder) => folder.endsWith('node_modules/.bin'));
  t.true(folders.indexOf('/usr/sbin') >= 0);
  t.true(packages === -1 || packages > folders.indexOf('/usr/sbin'));
  t.is(new Set(folders).size, folders.length);
});

test.serial("the caller's settings and proxies are none of the lab's", (t) => {
  const names = ['TEP_SERVERS', 'https_proxy', 'HTTP_PROXY', 'no_proxy', 'LAB_TEST_OTHER'];
  const before = names.map((name) => process.env[name]);
  t.teardown(() => {
    for (const [i, name] of names.entries()) {
      const value = before[i];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  for (const name of names) process.env[name] = 'http://192.0.2.1:3128';
  const environment = systemEnvironment();
  t.deepEqual(
    names.filter((name) => name in environment),
    ['LAB_TEST_OTHER'],
  );
});
