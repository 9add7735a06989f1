/**
 * A file that one process at a time holds (flock(2)). The system takes the lock back when the process ends,
 * however it ends. Only who may open the file can hold it: it is the user's alone.
 */
import { closeSync, constants, fstatSync, openSync, statSync, unlinkSync } from 'node:fs';
import { type IoFault, ioFault, isIoFault } from '../io-fault.ts';
import { libc } from './libc.ts';

const LOCK_EX_NB = 2 | 4;
const FILE_MODE = 0o600;
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
/** Each time somebody else has removed the file between our opening and our locking it. */
const MAX_TRIES = 10;

export interface FileLock {
  release(): void;
}

/** EAGAIN: another process holds it. ENOSYS: this machine has no such call. */
export function lockFile(path: string): FileLock | IoFault {
  for (let i = 0; i < MAX_TRIES; i++) {
    const held = tryLock(path);
    if (held !== undefined) return held;
  }
  return { type: 'io-fault', code: 'EAGAIN', text: `${path} is removed again and again` };
}

/** Undefined: the file that was locked is not the one of that name any more. */
function tryLock(path: string): FileLock | IoFault | undefined {
  const calls = libc();
  if (isIoFault(calls)) return calls;
  let fd = -1;
  try {
    fd = openSync(path, FLAGS, FILE_MODE);
    const locked = calls.lock(fd, LOCK_EX_NB);
    const isSame = statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
    if (typeof locked === 'number' && isSame) return { release: () => release(path, fd) };
    closeSync(fd);
    return typeof locked === 'number' ? undefined : locked;
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    return ioFault(error as Error);
  }
}

/** The file goes while it is locked: whoever opens it later makes a new one. */
function release(path: string, fd: number): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody has removed it: the lock ends all the same.
  }
  closeSync(fd);
}
