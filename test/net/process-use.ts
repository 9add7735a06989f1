/** What a process takes of the machine, as /proc tells it. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Use {
  readonly residentKiB: number;
  readonly handles: number;
  /** Processor time so far. */
  readonly cpuMs: number;
}

/** Ticks of /proc/PID/stat in a second: 100 on every Linux (sysconf(_SC_CLK_TCK)). */
const TICK_MS = 10;
const FIELDS_BEFORE_UTIME = 11;

export function useOf(pid: number): Use {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0] = fields.slice(FIELDS_BEFORE_UTIME).map(Number);
  return {
    residentKiB: Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(status)?.[1]),
    handles: readdirSync(`/proc/${pid}/fd`).length,
    cpuMs: (user + system) * TICK_MS,
  };
}
