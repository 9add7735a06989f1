/** What the kernel says a process has used: every thread of it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Processor time in ns, as the scheduler counts it. */
export function cpuNs(pid: number): number {
  const ns = (task: string) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + ns(task), 0);
}

/** Resident memory in MB (10^6 octets). */
export function residentMb(pid: number): number {
  const [, kb = Number.NaN] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kb) * 1_024) / 1e6;
}
