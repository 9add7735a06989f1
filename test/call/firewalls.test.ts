/** The same two calls, out and in, from behind every kind of firewall, with TEP-C beside the softphone. */
import type { ExecutionContext } from 'ava';
import { FIREWALLS, type Firewall } from '../../lab/calls/access.ts';
import type { CallLab } from '../../lab/calls/call-lab.ts';
import { MEDIA, PCSCF, PHONE } from '../../lab/calls/call-site.ts';
import { HopCaptures, messagesOfHops, streamsOfCall } from '../../lab/calls/hops.ts';
import type { CallMessage } from '../../lab/calls/messages.ts';
import { until } from '../net/until.ts';
import { dropsOf, tunnelsOf } from './agent-status.ts';
import { callTest } from './call-test.ts';
import { described, isMarked, mustBeWhole, mustHideTopology } from './checks.ts';

/** Of the softphone and the one in the core, where they speak SIP. */
const PHONE_PORT = 5070;
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

      await ue.call('sip:carol@ims.example');
      await ue.talkedFor(3);
      t.is(await tunnelsOf(lab.server), usesTunnel ? 1 : 0);
      ue.command('/hangup');
      await core.ended();
      await core.call('sip:alice@ims.example');
      await core.talkedFor(3);
      core.command('/hangup');
      await ue.ended(2);
      await until(async () => (await tunnelsOf(lab.server)) === 0, 60_000);
      t.log(await dropsOf(client), await dropsOf(lab.server));
      await client.stop();

      const files = await captures.stop();
      mustBeWhole(t, await streamsOfCall(lab), 180);
      if (usesTunnel) await mustHideTopology(t, files);
      checkMarks(t, lab, await messagesOfHops(files), usesTunnel);
    },
  );
}

/** Marks stand between TEP-C and TEP-S where a tunnel is used, and nowhere else (tep-wire 8, M-04). */
function checkMarks(
  t: ExecutionContext,
  lab: CallLab,
  messages: readonly CallMessage[],
  usesTunnel: boolean,
): void {
  const { publicAddress } = lab.access(0);
  const none = [
    messages.filter(({ from, to }) => [from.port, to.port].includes(PHONE_PORT)),
    described(messages, PCSCF.address, PHONE.address),
    described(messages, PHONE.address, PCSCF.address),
  ].flat();
  t.true(none.some(({ sdp }) => sdp !== undefined));
  t.deepEqual(none.filter(isMarked), [], 'phones know nothing of marks');
  const said = described(messages, publicAddress, PCSCF.address);
  t.true(said.length >= 2);
  t.deepEqual(
    said.map(isMarked),
    said.map(() => usesTunnel),
    'TEP-C says that it can, or does',
  );
  const told = described(messages, PCSCF.address, publicAddress);
  t.true(told.length >= 2);
  t.deepEqual(
    told.map(isMarked),
    told.map(({ title }) => usesTunnel && title.startsWith('SIP/2.0')),
    'TEP-S answers that it may',
  );
  t.is(described(messages, PCSCF.address, MEDIA.address).some(isMarked), usesTunnel);
}
