/** Fifty calls at once from one host, each with a change of its media port in the middle. */
import { PCSCF, PHONE } from '../../lab/calls/call-site.ts';
import { HopCaptures, messagesOfHops } from '../../lab/calls/hops.ts';
import { until } from '../net/until.ts';
import { bindingsOf } from './agent-status.ts';
import { callTest } from './call-test.ts';
import { described, isMarked, mustHideTopology } from './checks.ts';
import { sipp } from './sipp.ts';

const CALLS = 50;
/** RTP and RTCP of each call, and again while the port changes; and of the phone's other binding. */
const PORTS = 4 * CALLS + 2;
/** Bound by the configuration: the tunnel is there before the calls, as behind a phone that has called before. */
const ALWAYS = '127.0.0.1:4000';

callTest(
  '[M-15] [M-17] [M-18] sipp holds fifty calls at once behind web-only, and moves their media',
  {
    firewalls: ['web-only'],
    programs: ['sipp'],
    server: [`limits.bindings-per-tunnel: ${PORTS}`, `limits.bindings-per-user: ${PORTS}`],
    client: [`media.max-bindings: ${PORTS}`, `media.static: ${ALWAYS}`],
  },
  async ({ t, lab }) => {
    const captures = await HopCaptures.start(lab);
    await lab.startClient(0);
    await until(async () => (await bindingsOf(lab.server)) === 1);
    await sipp(
      lab,
      PHONE.host,
      'register',
      PHONE.address,
      [PCSCF.address, '-s', 'carol', '-m', '1'],
      'carol',
    );
    // TEP-C looks for its way to the core with the first message: not with fifty of them waiting.
    const { ue, privateAddress } = lab.access(0);
    const registering = ['127.0.0.1:5060', '-s', 'alice', '-m', '1'];
    await sipp(lab, ue, 'register', privateAddress, registering, 'alice');
    const args = ['-m', String(CALLS)];
    const answering = sipp(lab, PHONE.host, 'answerer', PHONE.address, args, 'carol');
    const calling = ['127.0.0.1:5060', '-m', String(CALLS), '-l', String(CALLS), '-r', '10'];
    await sipp(lab, ue, 'caller', privateAddress, calling, 'alice');
    await answering;
    await until(async () => (await bindingsOf(lab.server)) === 1, 60_000);
    const files = await captures.stop();
    const said = described(await messagesOfHops(files), lab.access(0).publicAddress, PCSCF.address);
    // Each call: INVITE twice for the password, and once for the new port.
    t.true(said.length >= 3 * CALLS);
    t.true(said.every(isMarked));
    await mustHideTopology(t, files);
  },
);
