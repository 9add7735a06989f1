/** The torture messages of RFC 4475 and RFC 5118 at every door; calls go on as if nothing had been. */
import { endpointOf } from '../../io/endpoints.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { withinNamespace } from '../../io/kernel/namespace.ts';
import { openUdp } from '../../io/udp-socket.ts';
import type { CallLab } from '../../lab/calls/call-lab.ts';
import { PCSCF, PHONE } from '../../lab/calls/call-site.ts';
import { HopCaptures, streamsOfCall } from '../../lab/calls/hops.ts';
import { names, vector } from '../sip/vectors.ts';
import { callTest } from './call-test.ts';
import { mustBeWhole, mustHideTopology } from './checks.ts';

const SIP_PORT = 5060;

callTest(
  'RFC 4475: torture messages to TEP-C and to the P-CSCF, and then a call',
  { firewalls: ['443-only'] },
  async ({ t, lab }) => {
    const core = await lab.startCorePhone();
    const client = await lab.startClient(0);
    const ue = await lab.startUe(0);
    const { ue: host, privateAddress } = lab.access(0);
    await torment(lab, host, privateAddress, '127.0.0.1');
    await torment(lab, PHONE.host, PHONE.address, PCSCF.address);
    const captures = await HopCaptures.start(lab);
    await ue.call('sip:carol@ims.example');
    await ue.talkedFor(3);
    ue.command('/hangup');
    await core.ended();
    t.false(client.program.hasExited);
    t.false(lab.server?.program.hasExited);
    const files = await captures.stop();
    mustBeWhole(t, await streamsOfCall(lab), 90);
    await mustHideTopology(t, files);
  },
);

/** All of them by UDP, from one host to the SIP port of an address. */
async function torment(lab: CallLab, host: string, from: string, to: string): Promise<void> {
  const place = `/run/netns/${lab.network.namespace(host)}`;
  const socket = await withinNamespace(place, () => openUdp(endpointOf(from, 0), () => {}));
  if (isIoFault(socket)) throw new Error(socket.text);
  const target = endpointOf(to, SIP_PORT).address;
  for (const folder of ['torture', 'torture-ipv6']) {
    for (const name of names(folder)) {
      const octets = vector(folder, name);
      socket.send(octets, 0, octets.length, target, 0, SIP_PORT);
    }
  }
  await socket.close();
}
