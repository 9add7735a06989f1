/** What agents of a lab say about themselves. */
import { askStatus } from '../../io/status-socket.ts';
import type { Agent } from '../../lab/agent.ts';

export async function statusOf(agent: Agent | undefined): Promise<Record<string, unknown>> {
  if (agent === undefined) throw new Error('there is no such agent');
  const status = await askStatus(agent.statusSocket);
  if (typeof status !== 'object' || status === null) throw new Error(`it answered ${status}`);
  return { ...status };
}

/** How many tunnels a server has. */
export async function tunnelsOf(server: Agent | undefined): Promise<number> {
  const { tunnels } = await statusOf(server);
  return Array.isArray(tunnels) ? tunnels.length : Number.NaN;
}

/** How many public addresses its tunnels have. */
export async function bindingsOf(server: Agent | undefined): Promise<number> {
  return Number((await statusOf(server)).bindingCount);
}

/** What it did not pass on, by reason: of its own, and of its packet port. */
export async function dropsOf(agent: Agent | undefined): Promise<Record<string, number>> {
  const { drops, port } = await statusOf(agent);
  const ofPort = typeof port === 'object' && port !== null && 'drops' in port ? port.drops : {};
  return { ...(drops as object), ...(ofPort as object) };
}

/** How many ways the calls have opened at a TEP-S. */
export async function waysOf(server: Agent | undefined): Promise<number> {
  const { ng } = await statusOf(server);
  return typeof ng === 'object' && ng !== null && 'pinholes' in ng
    ? Number(ng.pinholes)
    : Number.NaN;
}

/** Whether a TEP-C has a way to the core. */
export async function reachesCore(client: Agent): Promise<boolean> {
  const { sip } = await statusOf(client);
  const core = typeof sip === 'object' && sip !== null && 'core' in sip ? sip.core : undefined;
  const state = typeof core === 'object' && core !== null && 'state' in core ? core.state : '';
  return state === 'open' || state === 'proven';
}
