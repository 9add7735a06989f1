/** The same two calls, out and in, from behind every kind of firewall, with TEP-C beside the softphone. */
import { FIREWALLS, type Firewall } from '../../lab/calls/access.ts';
import { HopCaptures, messagesOfHops, streamsOfCall } from '../../lab/calls/hops.ts';
import { dropsOf } from './agent-status.ts';
import { callIn, callOut } from './both-ways.ts';
import { callTest } from './call-test.ts';
import { checkMarks, mustBeWhole, mustHideTopology } from './checks.ts';

/** Where UDP passes, media need no tunnel (M-04). */
const NATIVE: readonly Firewall[] = ['open', 'double-nat', 'sip-blocked'];

for (const firewall of FIREWALLS) {
  callTest(
    `[M-01] [M-11] [M-13] [M-17] [M-18] a softphone behind ${firewall} registers, calls and is called`,
    { firewalls: [firewall] },
    async ({ t, lab }) => {
      const captures = await HopCaptures.start(lab);
      const core = await lab.startCorePhone();
      const client = await lab.startClient(0);
      const ue = await lab.startUe(0);
      const usesTunnel = !NATIVE.includes(firewall);

      await callOut(t, lab, ue, core, usesTunnel ? 1 : 0);
      await callIn(lab, ue, core);
      t.log(await dropsOf(client), await dropsOf(lab.server));
      await client.stop();

      const files = await captures.stop();
      mustBeWhole(t, await streamsOfCall(lab), 180);
      if (usesTunnel) await mustHideTopology(t, files);
      checkMarks(t, lab, await messagesOfHops(files), usesTunnel);
    },
  );
}
