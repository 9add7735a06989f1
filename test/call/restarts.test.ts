/** Servers that are started again in the middle of a call: that one goes on, and the next is as good as any. */
import type { ExecutionContext } from 'ava';
import type { CallLab } from '../../lab/calls/call-lab.ts';
import { HopCaptures, streamsOfCall } from '../../lab/calls/hops.ts';
import { until } from '../net/until.ts';
import { reachesCore, tunnelsOf, waysOf } from './agent-status.ts';
import { callTest } from './call-test.ts';
import { mustBeWhole, mustHaveNoGaps, mustHideTopology } from './checks.ts';

const RESTARTS_OF_TEP_S = {
  'is killed': (lab: CallLab) => lab.restartServer(),
  ends: (lab: CallLab) => lab.restartServer('SIGINT'),
} as const;

for (const [how, restart] of Object.entries(RESTARTS_OF_TEP_S)) {
  callTest(
    `a call goes on by itself when TEP-S ${how} and starts again`,
    { firewalls: ['web-only'] },
    async ({ t, lab }) => {
      const core = await lab.startCorePhone();
      await lab.startClient(0);
      const ue = await lab.startUe(0);
      await ue.call('sip:carol@ims.example');
      await ue.talkedFor(2);
      await restart(lab);
      await until(async () => (await tunnelsOf(lab.server)) === 1);
      const back = await HopCaptures.start(lab);
      await ue.talkedOnFor(4);
      ue.command('/hangup');
      await core.ended();
      await ue.call('sip:carol@ims.example');
      await ue.talkedFor(3);
      ue.command('/hangup');
      await core.ended(2);
      const files = await back.stop();
      mustHaveNoGaps(t, await streamsOfCall(lab), 180);
      await lastCallMustBeWhole(t, lab);
      await mustHideTopology(t, files);
    },
  );
}

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
    // A registrar without a database has forgotten who is where.
    await core.stop();
    const again = await lab.startCorePhone();
    await ue.call('sip:carol@ims.example');
    await ue.talkedFor(3);
    ue.command('/hangup');
    await again.ended();
    const files = await captures.stop();
    mustBeWhole(t, await streamsOfCall(lab), 300);
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
  '[M-15] a call that rtpengine has forgotten, as it starts again, goes on with the next offer',
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
    await ue.call('sip:carol@ims.example');
    await ue.talkedFor(3);
    ue.command('/hangup');
    await core.ended(2);
    await until(async () => (await tunnelsOf(lab.server)) === 0, 60_000);
    const files = await captures.stop();
    mustHaveNoGaps(t, await streamsOfCall(lab), 240);
    await lastCallMustBeWhole(t, lab);
    await mustHideTopology(t, files);
  },
);

async function lastCallMustBeWhole(t: ExecutionContext, lab: CallLab): Promise<void> {
  const streams = await streamsOfCall(lab);
  const last = (['up', 'down'] as const).flatMap((way) =>
    streams.filter((stream) => stream.way === way).slice(-1),
  );
  mustBeWhole(t, last, 90);
}
