/** Phones, firewalls and core that speak IPv6. */
import { HopCaptures, messagesOfHops, streamsOfCall } from '../../lab/calls/hops.ts';
import { until } from '../net/until.ts';
import { tunnelsOf } from './agent-status.ts';
import { callTest } from './call-test.ts';
import { checkMarks, mustBeWhole, mustHideTopology } from './checks.ts';

for (const firewall of ['web-only', 'web-proxy'] as const) {
  callTest(
    `[M-01] [M-11] [M-13] [M-17] [M-18] a softphone behind ${firewall} calls and is called over IPv6`,
    { firewalls: [firewall], family: 6 },
    async ({ t, lab }) => {
      const captures = await HopCaptures.start(lab);
      const core = await lab.startCorePhone();
      await lab.startClient(0);
      const ue = await lab.startUe(0);
      await ue.call('sip:carol@ims.example');
      await ue.talkedFor(3);
      t.is(await tunnelsOf(lab.server), 1);
      ue.command('/hangup');
      await core.ended();
      await core.call('sip:alice@ims.example');
      await core.talkedFor(3);
      core.command('/hangup');
      await ue.ended(2);
      await until(async () => (await tunnelsOf(lab.server)) === 0, 60_000);
      const files = await captures.stop();
      mustBeWhole(t, await streamsOfCall(lab), 180);
      await mustHideTopology(t, files);
      checkMarks(t, lab, await messagesOfHops(files), true);
    },
  );
}
