/** Options of TCP connections that Node has no name for (tcp(7)). */
import type { Socket } from 'node:net';
import { type IoFault, isIoFault } from './io-fault.ts';
import { libc } from './kernel/libc.ts';

const IPPROTO_TCP = 6;
const TCP_USER_TIMEOUT = 18;

/**
 * The system ends the connection when what was sent stays unacknowledged for so long (RFC 5482): a
 * dead network is noticed then, not after fifteen minutes of retransmission.
 */
export function setUserTimeout(socket: Socket, ms: number): IoFault | undefined {
  const calls = libc();
  if (isIoFault(calls)) return calls;
  const done = calls.setOption(descriptorOf(socket), IPPROTO_TCP, TCP_USER_TIMEOUT, ms);
  return typeof done === 'number' ? undefined : done;
}

/** The number by which the system knows a connected socket; -1 when it is closed. */
export function descriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = handle instanceof Object ? Reflect.get(handle, 'fd') : undefined;
  return typeof fd === 'number' ? fd : -1;
}
