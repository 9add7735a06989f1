/**
 * What the system is told about a TCP connection of a tunnel, in options that Node has no name for
 * (tcp(7), linux/tcp.h). What waits, waits with us, where it can still be dropped by age; what is lost is
 * sent again as early as the round trip allows. docs/tcp.md has what each of them is worth.
 *
 * A system that does not know one is not asked twice and the connection works without it; `tep doctor`
 * says which those are.
 */

import type { Duplex } from 'node:stream';
import { type IoFault, isIoFault } from './io-fault.ts';
import { type Libc, libc } from './kernel/libc.ts';

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_CONGESTION = 13;
const TCP_USER_TIMEOUT = 18;

export interface TcpOption {
  readonly name: string;
  readonly level: number;
  readonly number: number;
  readonly value: number;
  /** The kernel that had it first. */
  readonly since: string;
  /** What is worse without it. */
  readonly use: string;
}

/** The same for every connection. */
export const TCP_OPTIONS: readonly TcpOption[] = [
  {
    name: 'TCP_NOTSENT_LOWAT',
    level: IPPROTO_TCP,
    number: 25,
    value: 4_096,
    since: '3.12',
    use: 'packets wait in the system, where they grow old',
  },
  {
    name: 'SO_SNDBUF',
    level: SOL_SOCKET,
    number: SO_SNDBUF,
    value: 212_992,
    since: '2.0',
    use: 'a connection may take 4 MiB of the memory of the system',
  },
  {
    name: 'TCP_RTO_MIN_US',
    level: IPPROTO_TCP,
    number: 45,
    value: 20_000,
    since: '6.15',
    use: 'a lost packet may be sent again 200 ms after its round trip',
  },
  {
    name: 'TCP_DELACK_MAX_US',
    level: IPPROTO_TCP,
    number: 46,
    value: 10_000,
    since: '6.15',
    use: 'the other end hears up to 40 ms late what has arrived',
  },
  {
    name: 'TCP_THIN_LINEAR_TIMEOUTS',
    level: IPPROTO_TCP,
    number: 16,
    value: 1,
    since: '2.6.34',
    use: 'after each loss of the same packet the wait for the next attempt doubles',
  },
  {
    name: 'TCP_RTO_MAX_MS',
    level: IPPROTO_TCP,
    number: 44,
    value: 1_000,
    since: '6.15',
    use: 'after an interruption it may take as long again before anything is sent',
  },
];

/**
 * Sends as much as gets through, whatever is lost (BBR): with random loss of some per cent, as radio links have,
 * others send less than a few calls need. Only on a way of some length: where the round trip is short it lets four
 * segments be under way, and those of single packets, shorter together than a full one, are acknowledged by the timer of the
 * other end. 100 calls over a link of 0.1 ms had a p99 of 29 ms by it, and 2.5 ms by cubic.
 */
export const PREFERRED_CONGESTION = 'bbr';
/** The least round trip for it. */
const FAR_US = 5_000;

export interface TcpWishes {
  /**
   * The system ends the connection when what was sent stays unacknowledged for so long (RFC 5482): a dead
   * network is noticed then, not after fifteen minutes of retransmission. 0: its own limit.
   */
  readonly userTimeoutMs: number;
  /** Congestion control by its name in the system; absent: PREFERRED_CONGESTION on a long way, where it can be had. */
  readonly congestion?: string | undefined;
}

/** Of a connection that is there. Without koffi, and where the stream is not TCP, nothing changes. */
export function setTcpOptions(stream: Duplex, { userTimeoutMs, congestion }: TcpWishes): void {
  const calls = libc();
  if (isIoFault(calls)) return;
  const fd = descriptorOf(stream);
  if (userTimeoutMs > 0) calls.setOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, userTimeoutMs);
  chooseCongestion(calls, fd, congestion);
  for (const option of TCP_OPTIONS) {
    if (unknown.has(option)) continue;
    const done = calls.setOption(fd, option.level, option.number, option.value);
    if (isUnknown(done)) unknown.add(option);
  }
}

export interface TcpAbilities {
  readonly known: readonly TcpOption[];
  readonly refused: ReadonlyArray<{ readonly option: TcpOption; readonly fault: IoFault }>;
}

/** Tried out on a socket that is connected to nothing. */
export function tcpAbilities(): TcpAbilities | IoFault {
  return onSocket((calls, fd) => {
    const tried = TCP_OPTIONS.map((option) => {
      const done = calls.setOption(fd, option.level, option.number, option.value);
      return { option, done };
    });
    return {
      known: tried.filter(({ done }) => typeof done === 'number').map(({ option }) => option),
      refused: tried.flatMap(({ option, done }) =>
        typeof done === 'number' ? [] : [{ option, fault: done }],
      ),
    };
  });
}

/** Why connections cannot have this congestion control; undefined when they can. */
export function congestionFault(name: string): IoFault | undefined {
  const done = onSocket((calls, fd) => setCongestion(calls, fd, name));
  if (typeof done === 'number') return undefined;
  return { ...done, text: `${name}: ${congestionProblem(done)}` };
}

/** The number by which the system knows a connected socket; -1 when it is closed. */
export function descriptorOf(stream: Duplex): number {
  const handle: unknown = Reflect.get(stream, '_handle');
  const fd: unknown = handle instanceof Object ? Reflect.get(handle, 'fd') : undefined;
  return typeof fd === 'number' ? fd : -1;
}

function congestionProblem({ code, text }: IoFault): string {
  if (code === 'ENOENT') return 'the system has no congestion control of this name';
  if (code === 'EPERM')
    return 'only root may use it: add it to net.ipv4.tcp_allowed_congestion_control';
  return text;
}

/** Whoever has named none gets the one of the system on a short way, or where the preferred one is not to be had. */
function chooseCongestion(calls: Libc, fd: number, wanted: string | undefined): void {
  if (wanted !== undefined) setCongestion(calls, fd, wanted);
  else if (hasPreferred && isFar(calls, fd)) {
    hasPreferred = !isRefused(setCongestion(calls, fd, PREFERRED_CONGESTION));
  }
}

/** Of `struct tcp_info` up to and with `tcpi_rtt`, µs: of the handshake, where nothing else was sent. */
const INFO_WORDS = 18;

function isFar(calls: Libc, fd: number): boolean {
  const info = new Uint32Array(INFO_WORDS);
  const told = calls.getOption(fd, IPPROTO_TCP, TCP_INFO, new Uint8Array(info.buffer));
  return typeof told === 'number' && (info[INFO_WORDS - 1] ?? 0) >= FAR_US;
}

function isRefused(done: number | IoFault): boolean {
  return typeof done !== 'number' && (done.code === 'ENOENT' || done.code === 'EPERM');
}

let hasPreferred = true;

/** What this system does not know. */
const unknown = new Set<TcpOption>();

/** Another answer may be about this one connection: that it has ended, that it is not TCP. */
function isUnknown(done: number | IoFault): boolean {
  return typeof done !== 'number' && done.code === 'ENOPROTOOPT';
}

function setCongestion(calls: Libc, fd: number, name: string): number | IoFault {
  return calls.setOptionBytes(fd, IPPROTO_TCP, TCP_CONGESTION, Buffer.from(name, 'latin1'));
}

function onSocket<Result>(act: (calls: Libc, fd: number) => Result): Result | IoFault {
  const calls = libc();
  if (isIoFault(calls)) return calls;
  const fd = calls.socket(AF_INET, SOCK_STREAM, 0);
  if (typeof fd !== 'number') return fd;
  const result = act(calls, fd);
  calls.close(fd);
  return result;
}
