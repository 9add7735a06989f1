/**
 * Sockets that systemd opened for this service (sd_listen_fds(3)): so that it can serve ports 80 and 443
 * without a privilege. Streams listen already; datagram sockets are bound.
 */
import { type IoFault, isIoFault } from './io-fault.ts';
import { type Libc, libc } from './kernel/libc.ts';

export interface PassedSocket {
  readonly fd: number;
  readonly kind: 'stream' | 'datagram';
  readonly family: 4 | 6;
}

/** The first descriptor that is passed. */
const FIRST_FD = 3;
/** socket(7). */
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_DOMAIN = 39;
const SOCK_STREAM = 1;
const AF_INET6 = 10;
const INT_LEN = 4;

/** None where they are for another process, or systemd passed none. */
export function passedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly PassedSocket[] | IoFault {
  const count = env.LISTEN_PID === String(pid) ? Number(env.LISTEN_FDS) : 0;
  if (!Number.isInteger(count) || count < 1) return [];
  const calls = libc();
  if (isIoFault(calls)) return calls;
  const sockets: PassedSocket[] = [];
  for (let fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
    const socket = look(calls, fd);
    if (isIoFault(socket)) return socket;
    sockets.push(socket);
  }
  return sockets;
}

function look(calls: Libc, fd: number): PassedSocket | IoFault {
  const type = intOption(calls, fd, SO_TYPE);
  const domain = intOption(calls, fd, SO_DOMAIN);
  if (typeof type === 'object') return type;
  if (typeof domain === 'object') return domain;
  return {
    fd,
    kind: type === SOCK_STREAM ? 'stream' : 'datagram',
    family: domain === AF_INET6 ? 6 : 4,
  };
}

function intOption(calls: Libc, fd: number, name: number): number | IoFault {
  const value = new Uint8Array(INT_LEN);
  const done = calls.getOption(fd, SOL_SOCKET, name, value);
  // In the order of this machine.
  return typeof done === 'number' ? (new Int32Array(value.buffer)[0] ?? 0) : done;
}
