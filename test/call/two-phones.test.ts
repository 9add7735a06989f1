/** Calls in which both phones stand behind firewalls, with TEP-C beside one or both of them. */
import { join } from 'node:path';
import { HopCaptures } from '../../lab/calls/hops.ts';
import { streamsBetween } from '../../lab/calls/streams.ts';
import { tunnelsOf } from './agent-status.ts';
import { callTest } from './call-test.ts';
import { mustBeWhole, mustHideTopology } from './checks.ts';

callTest(
  '[M-15] [M-17] two phones with TEP-C behind different firewalls call each other',
  { firewalls: ['web-only', 'web-proxy'] },
  async ({ t, lab }) => {
    const captures = await HopCaptures.start(lab);
    await Promise.all([lab.startClient(0), lab.startClient(1)]);
    const [alice, bob] = await Promise.all([lab.startUe(0), lab.startUe(1)]);
    await alice.call('sip:bob@ims.example');
    await alice.talkedFor(3);
    t.is(await tunnelsOf(lab.server), 2);
    bob.command('/hangup');
    await alice.ended();
    const files = await captures.stop();
    const folder = lab.folder;
    mustBeWhole(t, await streamsBetween(join(folder, '1-ue.pcap'), join(folder, '1-ue2.pcap')), 90);
    await mustHideTopology(t, files);
  },
);

callTest(
  '[M-04] a phone with TEP-C calls a plain one in another network',
  { firewalls: ['443-only', 'open'] },
  async ({ t, lab }) => {
    const captures = await HopCaptures.start(lab);
    const bob = await lab.startPlainUe(1);
    await lab.startClient(0);
    const alice = await lab.startUe(0);
    await alice.call('sip:bob@ims.example');
    await alice.talkedFor(3);
    t.is(await tunnelsOf(lab.server), 1);
    alice.command('/hangup');
    await bob.ended();
    await captures.stop();
    const folder = lab.folder;
    mustBeWhole(t, await streamsBetween(join(folder, '1-ue.pcap'), join(folder, '1-ue2.pcap')), 90);
  },
);
