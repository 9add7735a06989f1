/** The lab cannot go on here: one line for people, with what to do where that is known. */
export class LabError extends Error {}

const UNWRITABLE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of disk space is used up',
  EROFS: 'the file system is read-only',
  EIO: 'the disk has an error',
};

/** Instead of what the system threw when a file could not be written: for want of room, one line for people. */
export function notWritten(file: string, error: unknown): unknown {
  const { code = '' } = (error instanceof Error ? error : {}) as NodeJS.ErrnoException;
  const why = Object.hasOwn(UNWRITABLE, code) ? UNWRITABLE[code] : undefined;
  if (why === undefined) return error;
  return new LabError(`${file} cannot be written: ${why} (${code})`, { cause: error });
}
