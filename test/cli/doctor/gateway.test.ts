import test from 'ava';
import { gatewayFindings } from '../../../cli/doctor/gateway.ts';
import { ADVERTISE } from '../../tep-server/ng/descriptions.ts';
import { Gateway } from '../../tep-server/ng/gateway.ts';
import { settingsOf } from '../../tep-server/service.ts';

test('the media gateway answers, is silent, or is something else', async (t) => {
  const gateway = await Gateway.open(t);
  const at = `udp://127.0.0.1:${gateway.port}`;
  const flags = ['--ng-listen', 'udp://127.0.0.1:0', '--ng-advertise', ADVERTISE];
  const settings = settingsOf(t, ...flags, '--ng-rtpengine', at);
  t.like(await gatewayFindings(settings), [{ result: 'ok', text: `rtpengine at ${at} answers` }]);
  gateway.answers.ping = { result: 'ok' };
  const [odd] = await gatewayFindings(settings);
  t.like(odd, { result: 'problem', text: `rtpengine at ${at} is something else` });
  delete gateway.answers.ping;
  const [silent] = await gatewayFindings(settings);
  t.like(silent, { result: 'problem', text: `rtpengine at ${at} does not answer` });
  t.deepEqual(await gatewayFindings(settingsOf(t)), []);
});

test('who may reach the control of the gateway without a password is told', async (t) => {
  const warned = async (at: string) => {
    const flags = ['--ng-listen', at, '--ng-advertise', ADVERTISE];
    const settings = settingsOf(t, ...flags, '--ng-rtpengine', 'udp://127.0.0.1:9');
    const findings = await gatewayFindings(settings);
    return findings.filter(({ result }) => result === 'warning').map(({ text }) => text);
  };
  t.deepEqual(await warned('udp://127.0.0.9:2223'), []);
  t.deepEqual(await warned('udp://[::1]:2223'), []);
  for (const at of ['udp://198.51.100.7:2223', 'udp://0.0.0.0:2223']) {
    t.deepEqual(await warned(at), [
      `whoever reaches ng.listen at ${at} can end calls and open ways for media`,
    ]);
  }
});
