/**
 * Writes to a plain TCP connection by one system call (send(2)), past Node's stream, which makes an object and three
 * callbacks of each write: some 30 µs where the caches are cold, as much as the kernel needs for a segment. What the
 * system does not take at once, and every fault, is the stream's as ever.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { isIoFault } from './io-fault.ts';
import { libc } from './kernel/libc.ts';
import { descriptorOf } from './tcp-options.ts';

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** Gives how many octets were taken, from the first on: 0 where the stream is to be asked. */
export function writeNow(stream: Duplex, octets: Uint8Array): number {
  if (!(stream instanceof Socket) || stream instanceof TLSSocket) return 0;
  // What waits in the stream goes first.
  if (stream.writableLength > 0 || stream.writableEnded) return 0;
  const calls = libc();
  const fd = descriptorOf(stream);
  if (isIoFault(calls) || fd < 0) return 0;
  const taken = calls.send(fd, octets, MSG_DONTWAIT | MSG_NOSIGNAL);
  return typeof taken === 'number' ? taken : 0;
}
