/** Stock servers that are started again in the middle of a call, and what becomes of that call. */
import { HopCaptures, streamsOfCall } from '../../lab/calls/hops.ts';
import { until } from '../net/until.ts';
import { reachesCore, tunnelsOf, waysOf } from './agent-status.ts';
import { callTest } from './call-test.ts';
import { mustBeWhole, mustHaveNoGaps, mustHideTopology } from './checks.ts';

callTest(
  '[M-18] the P-CSCF starts again in the middle of a call: media do not notice, and the phone can hang up',
  { firewalls: ['web-only'] },
  async ({ t, lab }) => {
    const captures = await HopCaptures.start(lab);
    const core = await lab.startCorePhone();
    const client = await lab.startClient(0);
    const ue = await lab.startUe(0);
    await ue.call('sip:carol@ims.example');
    await ue.talkedFor(2);
    const ways = await waysOf(lab.server);
    await lab.restartKamailio();
    t.is(await waysOf(lab.server), ways);
    await ue.talkedOnFor(3);
    await until(() => reachesCore(client));
    ue.command('/hangup');
    await core.ended();
    await until(async () => (await waysOf(lab.server)) === 0, 60_000);
    await until(async () => (await tunnelsOf(lab.server)) === 0, 60_000);
    const files = await captures.stop();
    mustBeWhole(t, await streamsOfCall(lab), 200);
    await mustHideTopology(t, files);
  },
);

// The connection by which the phone could be reached is gone, and it has not registered by the new one yet.
callTest(
  '[M-18] the P-CSCF starts again and the other side hangs up: no way stays open, the phone’s own BYE ends the tunnel',
  { firewalls: ['web-only'] },
  async ({ t, lab }) => {
    const core = await lab.startCorePhone();
    const client = await lab.startClient(0);
    const ue = await lab.startUe(0);
    await ue.call('sip:carol@ims.example');
    await ue.talkedFor(2);
    await lab.restartKamailio();
    await until(() => reachesCore(client));
    core.command('/hangup');
    await until(async () => (await waysOf(lab.server)) === 0, 60_000);
    t.is(await tunnelsOf(lab.server), 1);
    ue.command('/hangup');
    await ue.ended();
    await until(async () => (await tunnelsOf(lab.server)) === 0, 60_000);
  },
);

callTest(
  '[M-15] a call without rtpengine, which has forgotten it, goes on with the next offer',
  { firewalls: ['web-only'] },
  async ({ t, lab }) => {
    const core = await lab.startCorePhone();
    await lab.startClient(0);
    const ue = await lab.startUe(0);
    await ue.call('sip:carol@ims.example');
    await ue.talkedFor(2);
    const ways = await waysOf(lab.server);
    await lab.restartRtpengine();
    t.is(await tunnelsOf(lab.server), 1);
    ue.command('/hold');
    await lab.kamailio.said(/INVITE within call[\s\S]*ACK within call/);
    ue.command('/resume');
    await lab.kamailio.said(/(?:INVITE within call[\s\S]*?ACK within call[\s\S]*?){2}/);
    const captures = await HopCaptures.start(lab);
    await ue.talkedOnFor(4);
    t.is(await waysOf(lab.server), ways);
    ue.command('/hangup');
    await core.ended();
    await until(async () => (await waysOf(lab.server)) === 0, 60_000);
    await until(async () => (await tunnelsOf(lab.server)) === 0, 60_000);
    const files = await captures.stop();
    mustHaveNoGaps(t, await streamsOfCall(lab), 150);
    await mustHideTopology(t, files);
  },
);
