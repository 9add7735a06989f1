/** Calls without a tunnel: what the core does by itself, which everything else is measured against. */

import { PCSCF, PHONE } from '../../lab/calls/call-site.ts';
import { HopCaptures, messagesOfHops, streamsOfCall } from '../../lab/calls/hops.ts';
import { callTest } from './call-test.ts';
import { described, isMarked, mustBeWhole } from './checks.ts';

for (const firewall of ['open', 'double-nat'] as const) {
  callTest(
    `a phone behind a network that is ${firewall} calls and is called without TEP`,
    { firewalls: [firewall], tep: false },
    async ({ t, lab }) => {
      const captures = await HopCaptures.start(lab);
      const core = await lab.startCorePhone();
      const ue = await lab.startPlainUe(0);
      await ue.call('sip:carol@ims.example');
      await ue.talkedFor(3);
      ue.command('/hangup');
      await core.ended();
      await core.call('sip:alice@ims.example');
      await core.talkedFor(3);
      core.command('/hangup');
      await ue.ended(2);
      const files = await captures.stop();
      mustBeWhole(t, await streamsOfCall(lab), 180);
      const messages = await messagesOfHops(files);
      t.true(described(messages, PCSCF.address, PHONE.address).length > 0);
      t.deepEqual(messages.filter(isMarked), []);
    },
  );
}
