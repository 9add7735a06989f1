/** The two calls that most tests judge: one of the phone, one to it. */
import type { ExecutionContext } from 'ava';
import type { Phone } from '../../lab/baresip.ts';
import type { CallLab } from '../../lab/calls/call-lab.ts';
import { until } from '../net/until.ts';
import { tunnelsOf } from './agent-status.ts';

/** The phone calls the one in the core, and hangs up; so many tunnels there are meanwhile. */
export async function callOut(
  t: ExecutionContext,
  lab: CallLab,
  ue: Phone,
  core: Phone,
  tunnels = 1,
): Promise<void> {
  await ue.call('sip:carol@ims.example');
  await ue.talkedFor(3);
  t.is(await tunnelsOf(lab.server), tunnels);
  ue.command('/hangup');
  await core.ended();
}

/** Then the one in the core calls and hangs up, and the tunnel ends. */
export async function callIn(lab: CallLab, ue: Pick<Phone, 'ended'>, core: Phone): Promise<void> {
  await core.call('sip:alice@ims.example');
  await core.talkedFor(3);
  core.command('/hangup');
  await ue.ended(2);
  await until(async () => (await tunnelsOf(lab.server)) === 0, 60_000);
}
