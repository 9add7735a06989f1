/** Where the status socket of an agent is: one place for the agent and for `tep status`. */
import type { AgentName } from '../ops/status.ts';
import type { Environment } from './environment.ts';

const SYSTEM_FOLDER = '/run/tep';

/** `undefined`: none is wanted, or the user has no folder of its own for such things. */
export function statusPath(
  setting: string,
  agent: AgentName,
  env: Environment,
  uid: number,
): string | undefined {
  if (setting === 'off') return undefined;
  return setting === 'auto' ? defaultPath(agent, env, uid) : setting;
}

/** The file of the same agent that has this ending, beside its status socket. */
export function besideStatus(path: string, ending: string): string {
  return `${path.replace(/\.sock$/, '')}.${ending}`;
}

/** All places where an agent that this user can ask may be, the likeliest first. */
export function statusPaths(agent: AgentName, env: Environment, uid: number): readonly string[] {
  const own = defaultPath(agent, env, uid);
  const system = `${SYSTEM_FOLDER}/${agent}.sock`;
  return own === undefined || own === system ? [system] : [own, system];
}

/** RUNTIME_DIRECTORY is how systemd says that it made the folder (systemd.exec(5)). */
function defaultPath(agent: AgentName, env: Environment, uid: number): string | undefined {
  if (env.RUNTIME_DIRECTORY) return `${env.RUNTIME_DIRECTORY}/${agent}.sock`;
  if (uid === 0) return `${SYSTEM_FOLDER}/${agent}.sock`;
  return env.XDG_RUNTIME_DIR ? `${env.XDG_RUNTIME_DIR}/tep/${agent}.sock` : undefined;
}
