/** Packets taken off the routes at both agents, and public addresses from a pool: no socket stands for a phone. */
import { HopCaptures, streamsOfCall } from '../../lab/calls/hops.ts';
import { tunnelsOf } from './agent-status.ts';
import { callTest } from './call-test.ts';
import { mustBeWhole, mustHideTopology } from './checks.ts';

callTest(
  '[M-11] [M-17] [W-5] a call with rings at both ends and an address of a pool',
  {
    firewalls: ['web-only'],
    server: [
      'addresses.mode: pool',
      'addresses.public: 203.0.113.48/29',
      'ports: 16384-65535',
      'packets.port: rings',
    ],
    client: ['packets.port: rings', 'media.to: 203.0.113.18:30000-39999/udp'],
  },
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
    const files = await captures.stop();
    mustBeWhole(t, await streamsOfCall(lab), 90);
    await mustHideTopology(t, files);
  },
);
