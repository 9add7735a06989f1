/** What `tep doctor client` says of the ways to the P-CSCF. */
import test from 'ava';
import { sipFindings } from '../../../cli/doctor/sip.ts';
import { closedPort } from '../../io/dial/listening.ts';
import { SimCore } from '../../tep-client/sip/simulated.ts';
import { settingsOf } from '../../tep-client/started.ts';

function settings(...cores: string[]) {
  const more = cores.map((core) => `--sip-core=${core}`);
  return settingsOf('--servers=tep.example', '--sip-listen=127.0.0.1:5060', ...more);
}

test('a way that answers makes those good that do not', async (t) => {
  const core = await SimCore.open();
  t.teardown(() => core.close());
  const port = await closedPort();
  const asked = sipFindings(settings(`tcp://127.0.0.1:${port}`, core.url));
  const options = await core.request('OPTIONS');
  t.regex(options.text, /\r\nMax-Forwards: 0\r\n/);
  core.answer(options, 483);
  const [closed, open] = await asked;
  t.is(closed?.result, 'ok');
  t.regex(closed?.text ?? '', /does not answer \([\s\S]*refuse[\s\S]*\): another way is taken$/);
  t.is(open?.text, `${core.url} answers`);
});

test('no way that answers is a problem, with what to look at', async (t) => {
  const port = await closedPort();
  const findings = await sipFindings(settings(`tcp://127.0.0.1:${port}`));
  t.like(findings[0], { result: 'problem', todo: 'see sip.core, proxy and firewall' });
});

test('nothing is said without a sidecar', async (t) => {
  const s = settingsOf('--servers=tep.example', '--maps=127.0.0.1:4000=127.0.0.2:4000');
  t.deepEqual(await sipFindings(s), []);
});
