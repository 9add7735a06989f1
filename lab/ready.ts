/** When a started program is ready: what it has said, or which ports its namespace listens on. */
import { readFileSync } from 'node:fs';

export type Ready =
  /** As soon as the process runs. */
  | 'started'
  /** Something that it prints, on either output. */
  | { readonly output: RegExp }
  /** A port that is open in its namespace: listening for TCP, bound for UDP. */
  | { readonly port: number; readonly protocol: 'tcp' | 'udp' };

/** The state LISTEN of TCP, and the only one of UDP sockets that are not connected. */
const OPEN_STATE = { tcp: '0A', udp: '07' } as const;

export function isReady(ready: Ready, pid: number, output: string): boolean {
  if (ready === 'started') return true;
  if ('output' in ready) return ready.output.test(output);
  const { port, protocol } = ready;
  return [protocol, `${protocol}6`].some((table) =>
    isOpen(readTable(pid, table), port, OPEN_STATE[protocol]),
  );
}

/** Whether a table of /proc/PID/net has a socket on the port in that state. */
export function isOpen(table: string, port: number, state: string): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').some((line) => {
    const [, local = '', , at = ''] = line.trim().split(/\s+/);
    return local.endsWith(suffix) && at === state;
  });
}

/** Sockets of the namespace that the process lives in; empty when it has ended. */
function readTable(pid: number, table: string): string {
  try {
    return readFileSync(`/proc/${pid}/net/${table}`, 'latin1');
  } catch {
    return '';
  }
}
