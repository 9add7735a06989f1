/** Servers that are started again in the middle of a call: the next call is as good as any, and with TEP-S this one. */
import type { ExecutionContext } from 'ava';
import type { CallLab } from '../../lab/calls/call-lab.ts';
import { HopCaptures, streamsOfCall } from '../../lab/calls/hops.ts';
import { until } from '../net/until.ts';
import { tunnelsOf } from './agent-status.ts';
import { callTest } from './call-test.ts';
import { mustBeWhole, mustHaveNoGaps, mustHideTopology } from './checks.ts';

const RESTARTS = {
  'the P-CSCF': (lab: CallLab) => lab.restartKamailio(),
  rtpengine: (lab: CallLab) => lab.restartRtpengine(),
  'TEP-S, killed,': (lab: CallLab) => lab.restartServer(),
} as const;

const RESTARTS_OF_TEP_S = {
  'is killed': (lab: CallLab) => lab.restartServer(),
  ends: (lab: CallLab) => lab.restartServer('SIGINT'),
} as const;

for (const [name, restart] of Object.entries(RESTARTS)) {
  callTest(
    `${name} is started again in the middle of a call`,
    { firewalls: ['web-only'] },
    async ({ t, lab }) => {
      const captures = await HopCaptures.start(lab);
      const core = await lab.startCorePhone();
      await lab.startClient(0);
      const ue = await lab.startUe(0);
      await ue.call('sip:carol@ims.example');
      await ue.talkedFor(2);
      await restart(lab);
      ue.command('/hangup');
      await ue.ended();
      // A registrar without a database has forgotten who is where.
      await core.stop();
      const again = await lab.startCorePhone();
      await ue.call('sip:carol@ims.example');
      await ue.talkedFor(3);
      ue.command('/hangup');
      await again.ended();
      await captures.stop();
      await lastCallMustBeWhole(t, lab);
    },
  );
}

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
      const files = await back.stop();
      mustHaveNoGaps(t, await streamsOfCall(lab), 90);
      await mustHideTopology(t, files);
    },
  );
}

async function lastCallMustBeWhole(t: ExecutionContext, lab: CallLab): Promise<void> {
  const streams = await streamsOfCall(lab);
  const last = (['up', 'down'] as const).flatMap((way) =>
    streams.filter((stream) => stream.way === way).slice(-1),
  );
  mustBeWhole(t, last, 90);
}
