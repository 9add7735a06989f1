/**
 * Tells by Node's own event loop when a socket has something, without the hop over the thread pool that
 * `poller.ts` takes (three changes of threads and some 30 µs). Node takes no kind of socket but TCP, UDP and UNIX:
 * so it is given one of the last, and before it looks at it another one is put behind the same number (dup2). That must not
 * block and be good for read(2); what is read of it is thrown away.
 */
import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { IoFault } from '../io-fault.ts';
import type { Libc } from './libc.ts';
import type { Watch } from './poller.ts';

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;

/** Longer than a counter of the system: those are not read in parts. */
const READ_LEN = 8;

export interface LoopWatch extends Watch {
  /** The number that the socket has now. */
  readonly fd: number;
}

/**
 * `fd` belongs to the watch from now on: it is closed with it, or when there can be none. `failed` is told that the
 * socket had an error, as when its interface was taken down; `ready` is not called any more.
 */
export function watchInLoop(
  calls: Libc,
  fd: number,
  ready: () => void,
  failed: () => void = () => {},
): LoopWatch | IoFault {
  const place = calls.socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
  if (typeof place !== 'number') {
    calls.close(fd);
    return place;
  }
  let isArmed = false;
  let isReading = false;
  const told = () => {
    isArmed = false;
    ready();
    isReading = isArmed;
    return isReading;
  };
  const onread = { buffer: new Uint8Array(READ_LEN), callback: told };
  const options: SocketConstructorOpts & ConnectOpts = { fd: place, writable: false, onread };
  const stream = new Socket(options).pause();
  stream.on('error', failed);
  const put = calls.duplicate(fd, place);
  calls.close(fd);
  if (typeof put !== 'number') {
    stream.destroy();
    return put;
  }
  return {
    fd: place,
    arm() {
      isArmed = true;
      if (isReading) return;
      isReading = true;
      stream.resume();
    },
    close() {
      isArmed = false;
      stream.destroy();
    },
  };
}
