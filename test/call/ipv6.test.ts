/** Phones, firewalls and core that speak IPv6. */
import { HopCaptures, messagesOfHops, streamsOfCall } from '../../lab/calls/hops.ts';
import { callIn, callOut } from './both-ways.ts';
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
      await callOut(t, lab, ue, core);
      await callIn(lab, ue, core);
      const files = await captures.stop();
      mustBeWhole(t, await streamsOfCall(lab), 180);
      await mustHideTopology(t, files);
      checkMarks(t, lab, await messagesOfHops(files), true);
    },
  );
}
