/** What both ends tell in the same way, as lines of a log: how their states change, and about which flow. */
import type { FlowProtocol, StateOutput } from '../session/outputs.ts';
import { PROTOCOL as TCP } from '../wire/tcp.ts';
import type { Log } from './log.ts';

export function logStateChange(log: Log, output: StateOutput): void {
  const { from, to, event } = output;
  if (output.type === 'connection-state') {
    log.debug('connection changes', { conn: output.conn, from, to, event });
  } else {
    log.debug('tunnel changes', { tunnel: output.tunnel, from, to, event });
  }
}

export function protocolName(protocol: FlowProtocol): 'tcp' | 'udp' {
  return protocol === TCP ? 'tcp' : 'udp';
}
