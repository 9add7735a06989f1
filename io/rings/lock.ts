/**
 * One port of a name at a time in a network namespace: a lock on a file that only root, or the user of the
 * service, can open. Nobody else on the machine can keep a port from opening.
 */
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../folder.ts';
import { type IoFault, ioFault, isIoFault } from '../io-fault.ts';
import { type FileLock, lockFile } from '../kernel/file-lock.ts';

/** Where systemd has made a folder for the service (systemd.exec(5)), that one. */
const FOLDER = process.env.RUNTIME_DIRECTORY ?? '/run/tep';
const FOLDER_MODE = 0o750;

export function lock(name: string): FileLock | IoFault {
  const held = lockInFolder(name);
  if (!isIoFault(held)) return held;
  if (held.code === 'EAGAIN') {
    const text = `another tep that runs here has ${name}: stop it, or set packets.interface to another name`;
    return { type: 'io-fault', code: 'EBUSY', text };
  }
  return { ...held, text: `${FOLDER} must be a folder of this user, for locks: ${held.text}` };
}

function lockInFolder(name: string): FileLock | IoFault {
  try {
    makeFolder(FOLDER, FOLDER_MODE);
    // `net:[4026531840]`
    const namespace = readlinkSync('/proc/thread-self/ns/net').replaceAll(/\D/g, '');
    return lockFile(join(FOLDER, `rings-${namespace}-${name}.lock`));
  } catch (error) {
    return ioFault(error as Error);
  }
}
