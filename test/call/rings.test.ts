/** Packets taken off the routes, and public addresses that no socket of TEP-S stands for. */
import { PCSCF } from '../../lab/calls/call-site.ts';
import { HopCaptures, messagesOfHops, streamsOfCall } from '../../lab/calls/hops.ts';
import { callIn, callOut } from './both-ways.ts';
import { callTest } from './call-test.ts';
import { checkMarks, described, mustBeWhole, mustHideTopology } from './checks.ts';

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
    await callOut(t, lab, ue, core);
    const files = await captures.stop();
    mustBeWhole(t, await streamsOfCall(lab), 90);
    await mustHideTopology(t, files);
  },
);

callTest(
  '[M-10] [M-11] [M-17] [W-5] calls with the address of the phone’s own NAT, reflexive, both ways',
  {
    firewalls: ['web-only'],
    server: ['addresses.mode: reflexive', 'addresses.public: []', 'packets.port: rings'],
  },
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
    const messages = await messagesOfHops(files);
    checkMarks(t, lab, messages, true);
    const { publicAddress } = lab.access(0);
    const offers = described(messages, publicAddress, PCSCF.address);
    for (const { sdp } of offers) t.true(sdp?.includes(`c=IN IP4 ${publicAddress}\r\n`), sdp);
  },
);
