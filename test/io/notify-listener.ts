/** The end of sd_notify(3) that systemd has: a datagram socket of its own. */
import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { isIoFault } from '../../io/io-fault.ts';
import { libc } from '../../io/kernel/libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** Gives its name for NOTIFY_SOCKET, and what has come since: `EAGAIN` when nothing has. */
export function notifyListener(t: ExecutionContext, isAbstract = false) {
  const calls = libc();
  if (isIoFault(calls)) throw new Error(calls.text);
  const folder = mkdtempSync(join(tmpdir(), 'tep-notify-'));
  const path = join(folder, 'notify');
  const name = Buffer.from(isAbstract ? `\0${path}` : `${path}\0`);
  const fd = calls.socket(AF_UNIX, SOCK_DGRAM, 0);
  if (typeof fd !== 'number') throw new Error(fd.text);
  t.teardown(() => {
    calls.close(fd);
    rmSync(folder, { recursive: true, force: true });
  });
  t.is(calls.bind(fd, Buffer.concat([new Uint8Array(Uint16Array.of(AF_UNIX).buffer), name])), 0);
  const into = Buffer.alloc(4_096);
  const received = (): string => {
    const length = calls.recv(fd, into, MSG_DONTWAIT);
    return typeof length === 'number' ? into.toString('utf8', 0, length) : length.code;
  };
  return { name: isAbstract ? `@${path}` : path, received };
}
