/**
 * System calls that Node does not offer, by way of koffi. Thin: arguments go through as they are, and an
 * error of the system comes back as an `IoFault` with its errno name. koffi is loaded at first use, so a
 * machine that it has no binary for runs everything that needs none of these calls.
 *
 * Buffers are passed by address. Those of an asynchronous call belong to the system until it is done.
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import type * as Koffi from 'koffi';
import type { IoFault } from '../io-fault.ts';

/** Memory shared with the kernel. After `unmap` no octet of it may be touched any more. */
export interface Mapping {
  readonly bytes: Uint8Array;
  unmap(): void;
}

/** Where calls give a number it is what the call returned, never below 0. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number | IoFault;
  close(fd: number): void;
  /** dup3(2): `onto` is what `fd` is, as well. */
  duplicate(fd: number, onto: number): number | IoFault;
  /** `address` is a whole `struct sockaddr_…`. */
  bind(fd: number, address: Uint8Array): number | IoFault;
  connect(fd: number, address: Uint8Array): number | IoFault;
  /** An option that is an `int`. */
  setOption(fd: number, level: number, name: number, value: number): number | IoFault;
  /** An option that is a structure. */
  setOptionBytes(fd: number, level: number, name: number, value: Uint8Array): number | IoFault;
  /** Fills `into`; gives the length of the option. */
  getOption(fd: number, level: number, name: number, into: Uint8Array): number | IoFault;
  /** `argument` is read and written by the system. */
  ioctl(fd: number, request: number, argument: Uint8Array): number | IoFault;
  /** flock(2). */
  lock(fd: number, operation: number): number | IoFault;
  interfaceIndex(name: string): number | IoFault;
  send(fd: number, b: Uint8Array, flags: number): number | IoFault;
  recv(fd: number, into: Uint8Array, flags: number): number | IoFault;
  /** `vector` holds `count` of `struct mmsghdr`. */
  sendMany(fd: number, vector: Uint8Array, count: number, flags: number): number | IoFault;
  /** Like `sendMany`; gives 0 when nothing has arrived. */
  receiveMany(fd: number, vector: Uint8Array, count: number, flags: number): number | IoFault;
  /** Fills `into` with the whole `struct sockaddr_…` that the socket is bound to. */
  localName(fd: number, into: Uint8Array): number | IoFault;
  /** Gives the kernel what lies in the sending ring of an AF_XDP socket: 0 when it took all, 1 when it may take more. */
  sendRing(fd: number): number | IoFault;
  /** Readable, writable, shared with the object behind `fd` from `offset` on; with `fd` -1 whole pages of nobody else's. */
  mmap(length: number, fd: number, offset?: number): Mapping | IoFault;
  /** The address of the first octet: good as long as the octets are held on to. */
  addressOf(b: Uint8Array): bigint;
  /** State of the clock; `timex` is a zeroed `struct timex`, so that nothing is changed. */
  adjtimex(timex: Uint8Array): number | IoFault;
  /** Moves this thread to the namespace behind `fd`, which is of the type `kind` (CLONE_NEW…). */
  enterNamespace(fd: number, kind: number): number | IoFault;
  eventfd(): number | IoFault;
  /** By the monotonic clock, not blocking. */
  timer(): number | IoFault;
  /** `spec` is a `struct itimerspec`, of relative times. */
  setTimer(fd: number, spec: Uint8Array): number | IoFault;
  read(fd: number, into: Uint8Array): number | IoFault;
  write(fd: number, b: Uint8Array): number | IoFault;
  epollCreate(): number | IoFault;
  epollControl(epoll: number, operation: number, fd: number, event: Uint8Array): number | IoFault;
  /** The number of events that there are at this moment. */
  epollNow(epoll: number, events: Uint8Array): number | IoFault;
  /** Waits in the thread pool without limit; `done` gets the number of events, or -1. */
  epollWait(epoll: number, events: Uint8Array, done: (count: number) => void): void;
}

let loaded: Libc | IoFault | undefined;

/** The system calls, or why this machine has none. */
export function libc(): Libc | IoFault {
  loaded ??= load();
  return loaded;
}

function load(): Libc | IoFault {
  if (process.platform !== 'linux') return unavailable('they exist on Linux only');
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    return bindCalls(koffi);
  } catch (error) {
    // Below the first line stands which modules asked for it.
    const [why = ''] = String(error instanceof Error ? error.message : error).split('\n');
    return unavailable(why);
  }
}

function unavailable(why: string): IoFault {
  return { type: 'io-fault', code: 'ENOSYS', text: `no system calls by koffi: ${why}` };
}

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_ANONYMOUS = 0x20;
const MAP_FAILED = 2n ** 64n - 1n;
const MAP_FAILED_32 = 2n ** 32n - 1n;
const EFD_CLOEXEC_NONBLOCK = 0o2004000;
const CLOCK_MONOTONIC = 1;
const TFD_CLOEXEC_NONBLOCK = 0o2004000;
const EPOLL_CLOEXEC = 0o2000000;
const O_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const INT_LEN = 4;

const { EAGAIN } = constants.errno;

type Call = (...args: unknown[]) => number;

function bindCalls(koffi: typeof Koffi): Libc {
  const lib = koffi.load(null);

  function fault(call: string): IoFault {
    const errno = koffi.errno();
    const [code, words] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, `error ${errno}`];
    return { type: 'io-fault', code, text: `${call}: ${words}` };
  }

  /** A call that gives -1 for an error. */
  function checked<Args extends unknown[]>(
    name: string,
    result: string,
    parameters: readonly string[],
  ): (...args: Args) => number | IoFault {
    const call = lib.func(name, result, [...parameters]) as Call;
    return (...args) => {
      const value = call(...args);
      return value < 0 ? fault(name) : value;
    };
  }

  const closeFd = lib.func('close', 'int', ['int']) as Call;
  const toIndex = lib.func('if_nametoindex', 'unsigned int', ['str']) as Call;
  const munmap = lib.func('munmap', 'int', ['void *', 'size_t']) as Call;
  const mapCall = lib.func(
    'void *mmap(void *addr, size_t length, int prot, int flags, int fd, long offset)',
  ) as (...args: unknown[]) => bigint;
  const EPOLL_WAIT = ['int', 'void *', 'int', 'int'];
  const wait = lib.func('epoll_wait', 'int', EPOLL_WAIT);
  const look = checked<[number, Uint8Array, number, number]>('epoll_wait', 'int', EPOLL_WAIT);
  const recvmmsg = lib.func('recvmmsg', 'int', [
    'int',
    'void *',
    'unsigned int',
    'int',
    'void *',
  ]) as Call;
  const sendto = lib.func('sendto', 'long', [
    'int',
    'void *',
    'size_t',
    'int',
    'void *',
    'unsigned int',
  ]) as Call;
  const getsockname = checked<[number, Uint8Array, Uint32Array]>('getsockname', 'int', [
    'int',
    'void *',
    'void *',
  ]);
  const setOptionBytes = checked<[number, number, number, Uint8Array, number]>(
    'setsockopt',
    'int',
    ['int', 'int', 'int', 'const void *', 'unsigned int'],
  );
  const getsockopt = checked<[number, number, number, Uint8Array, Uint32Array]>(
    'getsockopt',
    'int',
    ['int', 'int', 'int', 'void *', 'void *'],
  );
  const FD_ADDRESS = ['int', 'const void *', 'unsigned int'] as const;
  const bindCall = checked<[number, Uint8Array, number]>('bind', 'int', FD_ADDRESS);
  const connectCall = checked<[number, Uint8Array, number]>('connect', 'int', FD_ADDRESS);
  const FD_BYTES_FLAGS = ['int', 'void *', 'size_t', 'int'] as const;
  const send = checked<[number, Uint8Array, number, number]>('send', 'long', FD_BYTES_FLAGS);
  const recv = checked<[number, Uint8Array, number, number]>('recv', 'long', FD_BYTES_FLAGS);
  const readCall = checked<[number, Uint8Array, number]>('read', 'long', [
    'int',
    'void *',
    'size_t',
  ]);
  const writeCall = checked<[number, Uint8Array, number]>('write', 'long', [
    'int',
    'const void *',
    'size_t',
  ]);
  const eventfd = checked<[number, number]>('eventfd', 'int', ['unsigned int', 'int']);
  const duplicate = checked<[number, number, number]>('dup3', 'int', ['int', 'int', 'int']);
  const timer = checked<[number, number]>('timerfd_create', 'int', ['int', 'int']);
  const setTimer = checked<[number, number, Uint8Array, null]>('timerfd_settime', 'int', [
    'int',
    'int',
    'const void *',
    'void *',
  ]);
  const epollCreate = checked<[number]>('epoll_create1', 'int', ['int']);

  return {
    socket: checked('socket', 'int', ['int', 'int', 'int']),
    close: (fd) => {
      closeFd(fd);
    },
    duplicate: (fd, onto) => duplicate(fd, onto, O_CLOEXEC),
    bind: (fd, address) => bindCall(fd, address, address.length),
    connect: (fd, address) => connectCall(fd, address, address.length),
    setOption: (fd, level, name, value) =>
      setOptionBytes(fd, level, name, new Uint8Array(Int32Array.of(value).buffer), INT_LEN),
    setOptionBytes: (fd, level, name, value) =>
      setOptionBytes(fd, level, name, value, value.length),
    getOption: (fd, level, name, into) => {
      const length = Uint32Array.of(into.length);
      const done = getsockopt(fd, level, name, into, length);
      return typeof done === 'number' ? (length[0] ?? 0) : done;
    },
    ioctl: checked('ioctl', 'int', ['int', 'unsigned long', 'void *']),
    lock: checked('flock', 'int', ['int', 'int']),
    interfaceIndex: (name) => toIndex(name) || fault(`if_nametoindex ${name}`),
    send: (fd, b, flags) => send(fd, b, b.length, flags),
    recv: (fd, into, flags) => recv(fd, into, into.length, flags),
    sendMany: checked('sendmmsg', 'int', ['int', 'void *', 'unsigned int', 'int']),
    receiveMany: (fd, vector, count, flags) => {
      const received = recvmmsg(fd, vector, count, flags, null);
      if (received >= 0) return received;
      // Nothing there is the usual end of receiving: no object is made for it.
      return koffi.errno() === EAGAIN ? 0 : fault('recvmmsg');
    },
    localName: (fd, into) => getsockname(fd, into, Uint32Array.of(into.length)),
    sendRing: (fd) => {
      if (sendto(fd, null, 0, MSG_DONTWAIT, null, 0) >= 0) return 0;
      return koffi.errno() === EAGAIN ? 1 : fault('sendto');
    },
    mmap: (length, fd, offset = 0) => {
      const flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
      const address = mapCall(null, length, PROT_READ_WRITE, flags, fd, offset);
      if (address === MAP_FAILED || address === MAP_FAILED_32) return fault('mmap');
      const bytes = new Uint8Array(koffi.view(address, length));
      return {
        bytes,
        unmap: () => {
          munmap(address, length);
        },
      };
    },
    addressOf: (b) => koffi.address(b),
    adjtimex: checked('adjtimex', 'int', ['void *']),
    enterNamespace: checked('setns', 'int', ['int', 'int']),
    eventfd: () => eventfd(0, EFD_CLOEXEC_NONBLOCK),
    timer: () => timer(CLOCK_MONOTONIC, TFD_CLOEXEC_NONBLOCK),
    setTimer: (fd, spec) => setTimer(fd, 0, spec, null),
    read: (fd, into) => readCall(fd, into, into.length),
    write: (fd, b) => writeCall(fd, b, b.length),
    epollCreate: () => epollCreate(EPOLL_CLOEXEC),
    epollControl: checked('epoll_ctl', 'int', ['int', 'int', 'int', 'void *']),
    epollNow: (epoll, events) => look(epoll, events, roomIn(events), 0),
    epollWait: (epoll, events, done) => {
      wait.async(epoll, events, roomIn(events), -1, (error: Error | null, count: number) => {
        done(error === null ? count : -1);
      });
    },
  };
}

function roomIn(events: Uint8Array): number {
  return Math.floor(events.length / epollEventLength());
}

/** `struct epoll_event` is packed on x86 only. */
export function epollEventLength(): number {
  return process.arch === 'x64' || process.arch === 'ia32' ? 12 : 16;
}
