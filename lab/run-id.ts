/**
 * Names of what a run makes in the system: `tep-lab-PID-START-N-HOST`. PID and START (when that process
 * began, in clock ticks since the machine did) tell whose it is, also after the number has been given
 * to another process; N counts the networks of a run.
 */
import { readFileSync } from 'node:fs';

export interface RunId {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, proc(5). */
  readonly startTicks: number;
}

const PREFIX = 'tep-lab';
const NAME = /^tep-lab-([0-9]+)-([0-9]+)-[0-9]+-[a-z0-9-]+$/;
/** Fields of /proc/PID/stat after the command, which stands in brackets and may hold anything. */
const FIELDS_BEFORE_START = 19;

export function ownRun(): RunId {
  const startTicks = startTicksOf(process.pid);
  if (startTicks === undefined) throw new RangeError('/proc does not know this process');
  return { pid: process.pid, startTicks };
}

export function namespaceName(run: RunId, network: number, host: string): string {
  return `${PREFIX}-${run.pid}-${run.startTicks}-${network}-${host}`;
}

/** Whose namespace this is; undefined when it is none of the lab's. */
export function runOf(name: string): RunId | undefined {
  const found = NAME.exec(name);
  if (found === null) return undefined;
  return { pid: Number(found[1]), startTicks: Number(found[2]) };
}

export function isAlive(run: RunId): boolean {
  return startTicksOf(run.pid) === run.startTicks;
}

export function isSameRun(a: RunId, b: RunId): boolean {
  return a.pid === b.pid && a.startTicks === b.startTicks;
}

function startTicksOf(pid: number): number | undefined {
  try {
    return startTicksIn(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

function startTicksIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[FIELDS_BEFORE_START]);
}
