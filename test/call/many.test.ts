/** Fifty calls at once from one host, each with a change of its media port in the middle. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallLab } from '../../lab/calls/call-lab.ts';
import { PCSCF, PHONE } from '../../lab/calls/call-site.ts';
import { HopCaptures, messagesOfHops } from '../../lab/calls/hops.ts';
import { until } from '../net/until.ts';
import { tunnelsOf } from './agent-status.ts';
import { callTest } from './call-test.ts';
import { described, isMarked, mustHideTopology } from './checks.ts';

const CALLS = 50;
/** RTP and RTCP of each call, and again while the port changes. */
const PORTS = 4 * CALLS;
/** The tests run from build/, where only what is compiled stands. */
const SCENARIOS = join(dirname(fileURLToPath(import.meta.url)), '../../../test/call/sipp');
const PORT = '5080';

callTest(
  '[M-15] [M-17] [M-18] sipp holds fifty calls at once behind web-only, and moves their media',
  {
    firewalls: ['web-only'],
    programs: ['sipp'],
    server: [`limits.bindings-per-tunnel: ${PORTS}`, `limits.bindings-per-user: ${PORTS}`],
    client: [`media.max-bindings: ${PORTS}`],
  },
  async ({ t, lab }) => {
    const captures = await HopCaptures.start(lab);
    await lab.startClient(0);
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
    await until(async () => (await tunnelsOf(lab.server)) === 0, 60_000);
    const files = await captures.stop();
    const said = described(await messagesOfHops(files), lab.access(0).publicAddress, PCSCF.address);
    // Each call: INVITE twice for the password, and once for the new port.
    t.true(said.length >= 3 * CALLS);
    t.true(said.every(isMarked));
    await mustHideTopology(t, files);
  },
);

/** Resolves when all its calls were good; throws with what it says otherwise. */
async function sipp(
  lab: CallLab,
  host: string,
  scenario: string,
  address: string,
  args: readonly string[],
  user: string,
): Promise<void> {
  const program = await lab.network.start(host, {
    command: 'sipp',
    args: [
      ...['-sf', join(SCENARIOS, `${scenario}.xml`), '-i', address, '-p', PORT, '-mp', '6000'],
      ...['-au', user, '-ap', `${user}-secret`, '-nostdin', ...args],
    ],
    cwd: lab.folder,
    logFile: join(lab.folder, `sipp-${scenario}.log`),
  });
  const { code } = await program.exited;
  if (code !== 0)
    throw new Error(`sipp ${scenario} ended with ${code}: ${program.output.slice(-2_000)}`);
}
