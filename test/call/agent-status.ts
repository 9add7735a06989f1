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
