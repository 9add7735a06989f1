/** Tests with a whole laboratory for calls: each builds its own, and nothing of it may stay. */
import type { ExecutionContext } from 'ava';
import type { Family, Firewall } from '../../lab/calls/access.ts';
import { CALL_PROGRAMS, CallLab } from '../../lab/calls/call-lab.ts';
import type { LabProgram } from '../../lab/requirements.ts';
import { netTest } from '../net/net-test.ts';

export interface CallContext {
  readonly t: ExecutionContext;
  readonly lab: CallLab;
}

export interface CallTestPlan {
  /** Of the phones ue, ue2 and so on. */
  readonly firewalls: readonly Firewall[];
  readonly tep?: boolean;
  readonly family?: Family;
  /** Lines that the configurations of TEP-S and TEP-C have besides, or in place of their own. */
  readonly server?: readonly string[];
  readonly client?: readonly string[];
  readonly programs?: readonly LabProgram[];
}

/** Shorter than the default: most tests wait for the end of the tunnel. */
const LINGER = 'linger: 3s';

export function callTest(
  title: string,
  { programs = [], client = [], ...plan }: CallTestPlan,
  body: (context: CallContext) => Promise<void>,
): void {
  netTest(title, [...CALL_PROGRAMS, ...programs], async ({ t, folder }) => {
    const lab = await CallLab.build({ ...plan, client: [LINGER, ...client], folder });
    try {
      await body({ t, lab });
    } finally {
      await lab.destroy();
    }
  });
}
