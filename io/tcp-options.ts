/** Options of TCP connections that Node has no name for (tcp(7)). */
import type { Duplex } from 'node:stream';
import { type IoFault, isIoFault } from './io-fault.ts';
import { libc } from './kernel/libc.ts';

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_USER_TIMEOUT = 18;
/** `struct tcp_info`, as far as it is wanted, and where the smoothed round trip stands in it, in µs. */
const INFO_LEN = 72;
const RTT_WORD = 17;
const US_PER_MS = 1_000;

/**
 * The system ends the connection when what was sent stays unacknowledged for so long (RFC 5482): a
 * dead network is noticed then, not after fifteen minutes of retransmission.
 */
export function setUserTimeout(socket: Duplex, ms: number): IoFault | undefined {
  const calls = libc();
  if (isIoFault(calls)) return calls;
  const done = calls.setOption(descriptorOf(socket), IPPROTO_TCP, TCP_USER_TIMEOUT, ms);
  return typeof done === 'number' ? undefined : done;
}

/** As TCP measures it, to whoever is at the other end; undefined where the stream is not TCP, nor in it. */
export function roundTripMs(stream: Duplex): number | undefined {
  const calls = libc();
  if (isIoFault(calls)) return undefined;
  const words = new Uint32Array(INFO_LEN / Uint32Array.BYTES_PER_ELEMENT);
  const into = new Uint8Array(words.buffer);
  const length = calls.getOption(descriptorOf(stream), IPPROTO_TCP, TCP_INFO, into);
  return length === INFO_LEN ? (words[RTT_WORD] ?? 0) / US_PER_MS : undefined;
}

/** The number by which the system knows a connected socket; -1 when it is closed. */
export function descriptorOf(stream: Duplex): number {
  const handle: unknown = Reflect.get(stream, '_handle');
  const fd: unknown = handle instanceof Object ? Reflect.get(handle, 'fd') : undefined;
  return typeof fd === 'number' ? fd : -1;
}
