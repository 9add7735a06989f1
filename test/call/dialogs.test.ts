/** What telephones do with calls: hold, resume, cancel. */
import { PCSCF, PHONE } from '../../lab/calls/call-site.ts';
import { HopCaptures, messagesOfHops, streamsOfCall } from '../../lab/calls/hops.ts';
import { until } from '../net/until.ts';
import { tunnelsOf, waysOf } from './agent-status.ts';
import { callTest } from './call-test.ts';
import { described, mustBeWhole, mustHideTopology } from './checks.ts';
import { sipp } from './sipp.ts';

callTest(
  '[M-18] a call behind web-only is held, resumed and hung up; the next one is cancelled',
  { firewalls: ['web-only'] },
  async ({ t, lab }) => {
    const captures = await HopCaptures.start(lab);
    const core = await lab.startCorePhone({ answers: false });
    await lab.startClient(0);
    const ue = await lab.startUe(0);
    ue.command('/dial sip:carol@ims.example');
    await core.program.said(/Incoming call from/);
    core.command('/accept');
    await ue.talkedFor(3);
    ue.command('/hold');
    await lab.kamailio.said(/INVITE within call[\s\S]*ACK within call/);
    ue.command('/resume');
    await lab.kamailio.said(/(?:INVITE within call[\s\S]*?ACK within call[\s\S]*?){2}/);
    await ue.talkedFor(8);
    ue.command('/hangup');
    await core.ended();

    ue.command('/dial sip:carol@ims.example');
    await core.program.said(/(?:Incoming call from[\s\S]*?){2}/);
    ue.command('/hangup');
    await until(async () => (await tunnelsOf(lab.server)) === 0, 60_000);

    const files = await captures.stop();
    const messages = await messagesOfHops(files);
    const offers = described(messages, PCSCF.address, PHONE.address).map(({ sdp = '' }) => sdp);
    t.true(
      offers.some((sdp) => /a=(?:sendonly|inactive)/.test(sdp)),
      'held',
    );
    t.true(messages.some(({ title }) => title.startsWith('CANCEL ')));
    t.true(messages.some(({ title }) => title.startsWith('SIP/2.0 487')));
    mustBeWhole(t, await streamsOfCall(lab), 150);
    await mustHideTopology(t, files);
  },
);

callTest(
  '[M-18] a phone behind web-only is called, held, resumed and hung up on; the next call to it is cancelled',
  { firewalls: ['web-only'] },
  async ({ t, lab }) => {
    const captures = await HopCaptures.start(lab);
    await lab.startClient(0);
    const ue = await lab.startUe(0, { answers: false });
    const core = await lab.startCorePhone();
    core.command('/dial sip:alice@ims.example');
    await ue.program.said(/Incoming call from/);
    ue.command('/accept');
    await core.talkedFor(3);
    core.command('/hold');
    await lab.kamailio.said(/INVITE within call[\s\S]*ACK within call/);
    core.command('/resume');
    await lab.kamailio.said(/(?:INVITE within call[\s\S]*?ACK within call[\s\S]*?){2}/);
    await core.talkedFor(8);
    core.command('/hangup');
    await ue.ended();

    core.command('/dial sip:alice@ims.example');
    await ue.program.said(/(?:Incoming call from[\s\S]*?){2}/);
    core.command('/hangup');
    await until(async () => (await waysOf(lab.server)) === 0, 60_000);
    await until(async () => (await tunnelsOf(lab.server)) === 0, 60_000);

    const files = await captures.stop();
    const messages = await messagesOfHops(files);
    const { publicAddress } = lab.access(0);
    const offers = described(messages, PCSCF.address, publicAddress).map(({ sdp = '' }) => sdp);
    t.true(
      offers.some((sdp) => /a=(?:sendonly|inactive)/.test(sdp)),
      'held',
    );
    const cancels = messages.filter(({ title }) => title.startsWith('CANCEL '));
    t.true(
      cancels.some(({ to }) => to.address === publicAddress),
      'cancelled at TEP-C',
    );
    mustBeWhole(t, await streamsOfCall(lab), 150);
    await mustHideTopology(t, files);
  },
);

callTest(
  '[M-15] a change that the other side refuses leaves the call and its ways as they were',
  { firewalls: ['web-only'], programs: ['sipp'] },
  async ({ t, lab }) => {
    const registering = [PCSCF.address, '-s', 'carol', '-m', '1'];
    await sipp(lab, PHONE.host, 'register', PHONE.address, registering, 'carol');
    const refusing = sipp(lab, PHONE.host, 'refuser', PHONE.address, ['-m', '1'], 'carol');
    await lab.startClient(0);
    const ue = await lab.startUe(0);
    await ue.call('sip:carol@ims.example');
    await ue.talkedFor(2);
    const before = await waysOf(lab.server);
    t.true(before > 0);
    ue.command('/hold');
    await lab.kamailio.said(/INVITE within call/);
    await ue.talkedFor(5);
    t.is(await waysOf(lab.server), before);
    ue.command('/hangup');
    await refusing;
    await until(async () => (await waysOf(lab.server)) === 0, 60_000);
  },
);
