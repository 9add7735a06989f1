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
