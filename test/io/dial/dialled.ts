/** Dialling in tests: a stream, or a fault, and an error when it is the other one. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { ExecutionContext } from 'ava';
import { dial } from '../../../io/dial/dial.ts';
import type {
  DialFault,
  DialStage,
  ServerTarget,
  TransportOptions,
} from '../../../io/dial/types.ts';
import { DIRECT } from '../../../io/dial/types.ts';
import { isIoFault } from '../../../io/io-fault.ts';
import { HOST } from './listening.ts';

/** Reached by a machine that hangs only. */
export const LONG_MS = 60_000;

export function plain(port: number, host = HOST): ServerTarget {
  return { host, port, tls: false };
}

export async function dialled<Stream extends Duplex = Duplex>(
  t: ExecutionContext,
  target: ServerTarget,
  options: Partial<TransportOptions> = {},
): Promise<Stream> {
  const stream = await dial(target, { ...DIRECT, ...options }, LONG_MS).result;
  if (isIoFault(stream)) throw new Error(`${stream.stage}: ${stream.text}`);
  t.teardown(() => stream.destroy());
  return stream as Stream;
}

/** What comes first, as text. */
export async function first(stream: Duplex): Promise<string> {
  const arrived = once(stream, 'data');
  // It may have been paused, so that nothing got lost.
  stream.resume();
  return String((await arrived)[0]);
}

/** How it ends when the time is over in this stage, which a busy machine does not reach so soon. */
export async function timedOut(
  stage: DialStage,
  target: ServerTarget,
  options: Partial<TransportOptions> = {},
): Promise<DialFault> {
  for (let timeoutMs = 50; ; timeoutMs *= 2) {
    const fault = await refused(target, options, timeoutMs);
    if (fault.stage === stage || timeoutMs > LONG_MS) return fault;
  }
}

export async function refused(
  target: ServerTarget,
  options: Partial<TransportOptions> = {},
  timeoutMs = LONG_MS,
): Promise<DialFault> {
  const fault = await dial(target, { ...DIRECT, ...options }, timeoutMs).result;
  if (isIoFault(fault)) return fault;
  fault.destroy();
  throw new Error('a connection where none was expected');
}
