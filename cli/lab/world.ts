/** The laboratory as the commands of `tep lab` build it: one access network, two phones. */
import { chmodSync } from 'node:fs';
import type { Phone } from '../../lab/baresip.ts';
import { CALL_PROGRAMS, CallLab } from '../../lab/calls/call-lab.ts';
import { MEDIA, PCSCF, PHONE } from '../../lab/calls/call-site.ts';
import type { NameOf } from '../../lab/calls/transcript.ts';
import { labMissing } from '../../lab/requirements.ts';
import { Failure } from '../command.ts';
import type { LabTask } from '../lab.ts';
import { temporaryFolder } from '../temporary-folder.ts';

export const CALLEE = 'sip:carol@ims.example';

/** Throws `Failure` where the machine will not. */
export function checkMachine(): void {
  const missing = labMissing(CALL_PROGRAMS);
  if (missing === undefined) return;
  const hint = missing.startsWith('not installed') ? '; or: tep lab install' : '';
  throw new Failure(`${missing}${hint}`);
}

export async function buildLab({ firewall, values }: LabTask): Promise<CallLab> {
  const folder = temporaryFolder('tep-lab-');
  // squid gives up root, and writes into a folder inside.
  chmodSync(folder, 0o711);
  return CallLab.build({ firewalls: [firewall], folder, tep: !values['without-tep'] });
}

export async function startPhones(lab: CallLab): Promise<{ ue: Phone; core: Phone }> {
  const core = await lab.startCorePhone();
  if (lab.server === undefined) return { core, ue: await lab.startPlainUe(0) };
  await lab.startClient(0);
  return { core, ue: await lab.startUe(0) };
}

/** What `work` gives, or undefined when it was ended before. */
export async function unlessEnded<T>(ended: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  // Its failure after the end is nobody's concern: what it waits for has been taken away.
  work.catch(() => {});
  return Promise.race([work, untilEnded(ended).then(() => undefined)]);
}

export function untilEnded(ended: AbortSignal): Promise<void> {
  if (ended.aborted) return Promise.resolve();
  return new Promise((resolve) => ended.addEventListener('abort', () => resolve(), { once: true }));
}

export function namesOf(lab: CallLab): NameOf {
  const { ue, privateAddress, publicAddress, proxy } = lab.access(0);
  const names = new Map<string, string>([
    [PCSCF.address, PCSCF.host],
    [MEDIA.address, MEDIA.host],
    [PHONE.address, PHONE.host],
    ['127.0.0.1', ue],
    [privateAddress, ue],
    [publicAddress, proxy?.host ?? 'nat'],
  ]);
  return (address) => names.get(address);
}
