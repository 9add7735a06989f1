/**
 * One way to a TEP-S for every caller: the name becomes addresses, one of them a TCP connection.
 * Nothing here throws for what a network does: the result is a stream or a fault that says how far
 * it came.
 */
import { isIoFault } from '../io-fault.ts';
import { dialTcp } from '../tcp.ts';
import type { Dial, ServerTarget, TransportOptions } from './types.ts';

export function dial(target: ServerTarget, options: TransportOptions, timeoutMs: number): Dial {
  const { host, port } = target;
  const { localAddress } = options;
  const tcp = dialTcp({ host, port, ...(localAddress && { localAddress }) }, timeoutMs);
  const result = tcp.result.then((socket) =>
    isIoFault(socket) ? { ...socket, stage: 'tcp' as const } : socket,
  );
  return { result, abandon: () => tcp.abandon() };
}
