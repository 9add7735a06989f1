/** A second kind of phone beside TEP-C: what is right for baresip alone would show here. */
import { HopCaptures, streamsOfCall } from '../../lab/calls/hops.ts';
import { tunnelsOf } from './agent-status.ts';
import { callIn } from './both-ways.ts';
import { callTest } from './call-test.ts';
import { mustBeWhole, mustHideTopology } from './checks.ts';

callTest(
  '[M-01] [M-17] [M-18] linphone behind web-only registers, calls baresip and is called by it',
  { firewalls: ['web-only'], programs: ['linphonec'] },
  async ({ t, lab }) => {
    const captures = await HopCaptures.start(lab);
    const core = await lab.startCorePhone();
    await lab.startClient(0);
    const ue = await lab.startLinphone(0);

    ue.command('call sip:carol@ims.example');
    await core.talkedFor(3);
    t.is(await tunnelsOf(lab.server), 1);
    ue.command('terminate');
    await core.ended();
    await callIn(lab, ue, core);

    const files = await captures.stop();
    mustBeWhole(t, await streamsOfCall(lab), 180);
    await mustHideTopology(t, files);
  },
);
