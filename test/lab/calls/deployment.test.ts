import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { deploy, withSettings } from '../../../lab/calls/deployment.ts';

const folder = mkdtempSync(join(tmpdir(), 'tep-deploy-'));
test.after.always(() => rmSync(folder, { recursive: true }));

test('a configuration is used as it stands, with folders of the run for those of the system', async (t) => {
  const file = await deploy('kamailio.cfg', folder);
  const text = readFileSync(file, 'utf8');
  t.true(text.includes(`"config", "${folder}/tls.cfg"`));
  t.false(text.includes('/etc/'));
  t.true(text.includes('listen=tls:203.0.113.10:443\n'));
});

test('a change that no line asks for is a mistake of ours', async (t) => {
  const changes = [{ from: 'no such line', to: '' }];
  await t.throwsAsync(deploy('server.yaml', folder, changes), { instanceOf: RangeError });
});

test('settings come beside those of a configuration, or in place of the same', (t) => {
  const text = '# ways\nlisten:\n  - a:80\n  - a:443\nmode: relay\n\n# who\nuser: alice\n';
  t.is(
    withSettings(text, ['listen: b:80', 'mode: pool', 'realm: x']),
    '# ways\n\n# who\nuser: alice\nlisten: b:80\nmode: pool\nrealm: x\n',
  );
  t.is(withSettings(text, []), text);
});
