/**
 * What systemd wants to hear from a service: sd_notify(3), datagrams to the UNIX socket that
 * NOTIFY_SOCKET names. Node has no such sockets, so it is done by system calls; a child that does it
 * (systemd-notify) would not be believed, the unit takes the word of its main process only.
 */
import { Buffer } from 'node:buffer';
import { endianness } from 'node:os';
import { isIoFault } from './io-fault.ts';
import { libc } from './kernel/libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const MSG_NOSIGNAL = 0x4000;
const MAX_PATH_LEN = 108;
const US_PER_MS = 1_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Words of sd_notify(3). */
export interface Notice {
  readonly READY?: 1;
  readonly RELOADING?: 1;
  readonly STOPPING?: 1;
  readonly WATCHDOG?: 1;
  /** So many microseconds more to start or stop, from now. */
  readonly EXTEND_TIMEOUT_USEC?: number;
  /** One line for `systemctl status`. */
  readonly STATUS?: string;
}

/**
 * A function that tells systemd; one that does nothing when nobody listens. That systemd cannot be
 * told stops no agent.
 */
export function notifier(env: Environment): (notice: Notice) => void {
  const address = env.NOTIFY_SOCKET === undefined ? undefined : unixAddress(env.NOTIFY_SOCKET);
  return address === undefined ? () => {} : (notice) => send(address, textOf(notice));
}

/** How often systemd wants to hear `WATCHDOG=1` from this process; undefined: never. */
export function watchdogMs(env: Environment, pid: number): number | undefined {
  const us = Number(env.WATCHDOG_USEC);
  const isMeant = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === pid;
  return isMeant && us > 0 ? us / US_PER_MS : undefined;
}

/** Whether standard error goes to the journal, which then wants priorities (sd-daemon(3)). */
export function isJournal(
  env: Environment,
  { dev, ino }: { readonly dev: number; readonly ino: number },
): boolean {
  return env.JOURNAL_STREAM === `${dev}:${ino}`;
}

/** `struct sockaddr_un`; `@` stands for the zero of an abstract name. */
function unixAddress(name: string): Uint8Array | undefined {
  if (!/^[/@]./.test(name)) return undefined;
  const path = Buffer.from(name, 'utf8');
  if (path.length >= MAX_PATH_LEN) return undefined;
  if (name.startsWith('@')) path[0] = 0;
  const end = name.startsWith('@') ? Buffer.alloc(0) : Buffer.alloc(1);
  const family = Buffer.alloc(2);
  if (endianness() === 'LE') family.writeUInt16LE(AF_UNIX);
  else family.writeUInt16BE(AF_UNIX);
  return Buffer.concat([family, path, end]);
}

function textOf(notice: Notice): string {
  // A line end would begin another word.
  const clean = (value: string | number) => String(value).replaceAll(/\p{Cc}/gu, ' ');
  return Object.entries(notice)
    .map(([name, value]) => `${name}=${clean(value)}`)
    .join('\n');
}

function send(address: Uint8Array, text: string): void {
  const calls = libc();
  if (isIoFault(calls)) return;
  const fd = calls.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (typeof fd !== 'number') return;
  if (typeof calls.connect(fd, address) === 'number') {
    calls.send(fd, Buffer.from(text, 'utf8'), MSG_NOSIGNAL);
  }
  calls.close(fd);
}
