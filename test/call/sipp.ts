/** sipp on a host of a call laboratory, with the scenarios of test/call/sipp. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallLab } from '../../lab/calls/call-lab.ts';

/** The tests run from build/, where only what is compiled stands. */
const SCENARIOS = join(dirname(fileURLToPath(import.meta.url)), '../../../test/call/sipp');
const PORT = '5080';

/** Resolves when all its calls were good; throws with what it says otherwise. */
export async function sipp(
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
