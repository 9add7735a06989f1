/**
 * Removes what runs of the lab left behind: the processes in their namespaces, the namespaces, and with
 * them every interface, address, route, rule and nft table inside. Only runs whose process is gone are
 * touched, besides the one that is asked for by name.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemEnvironment } from './requirements.ts';
import { isAlive, isSameRun, type RunId, runOf } from './run-id.ts';

/** Where iproute2 keeps namespaces, and the files that it puts in the place of those of /etc. */
const NAMESPACES = '/run/netns';
export const FILES_OF_NAMESPACES = '/etc/netns';

/** Namespaces of runs that have ended are removed; gives their names. */
export function sweepDeadRuns(): string[] {
  return sweep((run) => !isAlive(run));
}

/** Everything of one run is removed. Synchronous, so that it can be done when the process ends. */
export function sweepRun(wanted: RunId): string[] {
  return sweep((run) => isSameRun(run, wanted));
}

/** Removes one namespace of the lab and all that runs in it. */
export function removeNamespace(name: string): void {
  if (runOf(name) === undefined) throw new RangeError(`${name} is no namespace of the lab`);
  for (const pid of pidsIn(name)) kill(pid);
  ip('netns', 'del', name);
  rmSync(join(FILES_OF_NAMESPACES, name), { recursive: true, force: true });
}

function sweep(isWanted: (run: RunId) => boolean): string[] {
  const names = [...new Set([...entriesOf(NAMESPACES), ...entriesOf(FILES_OF_NAMESPACES)])];
  const ours = names.filter((name) => {
    const run = runOf(name);
    return run !== undefined && isWanted(run);
  });
  for (const name of ours) removeNamespace(name);
  if (ours.length > 0) removeIfEmpty(FILES_OF_NAMESPACES);
  return ours;
}

function pidsIn(namespace: string): number[] {
  return ip('netns', 'pids', namespace).split('\n').filter(Boolean).map(Number);
}

/** Standard output; a namespace that is gone already is no fault. */
function ip(...args: string[]): string {
  const { stdout } = spawnSync('ip', args, { encoding: 'utf8', env: systemEnvironment() });
  return stdout ?? '';
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A folder that the lab may have made; one with anything else in it stays. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Not empty, or not there.
  }
}
