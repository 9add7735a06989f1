/**
 * Where the laboratory of `tep lab up` is, for `status` and `down`: one file, so that there is one
 * laboratory on a machine. A note of a process that has ended counts for nothing. Nothing in it is
 * secret, and everybody may read it.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { notWritten } from '../../lab/lab-error.ts';
import { isAlive, isSameRun, type RunId } from '../../lab/run-id.ts';

export interface Note {
  readonly run: RunId;
  readonly firewall: string;
  /** Empty, as are the hosts, while it is being built. */
  readonly folder: string;
  readonly hosts: readonly HostNote[];
}

export interface HostNote {
  readonly host: string;
  readonly namespace: string;
  readonly addresses: readonly string[];
}

const MODE = 0o644;

/** Undefined: nobody else has a laboratory, and the note is ours. Otherwise the note of who has one. */
export function claim(file: string, note: Note): Note | undefined {
  if (create(file, note)) return undefined;
  const other = readNote(file);
  if (other !== undefined) return other;
  rmSync(file, { force: true });
  return create(file, note) ? undefined : readNote(file);
}

/** Undefined where no laboratory stands. */
export function readNote(file: string): Note | undefined {
  try {
    const note: Note = JSON.parse(readFileSync(file, 'utf8'));
    return isAlive(note.run) ? note : undefined;
  } catch {
    // There is none, or whoever was to write it was ended before.
    return undefined;
  }
}

/** What is known after it has been built. */
export function renew(file: string, note: Note): void {
  write(file, note, 'w');
}

/** Takes away one's own note, and nobody else's. */
export function withdraw(file: string, run: RunId): void {
  const note = readNote(file);
  if (note !== undefined && isSameRun(note.run, run)) rmSync(file, { force: true });
}

function create(file: string, note: Note): boolean {
  try {
    write(file, note, 'wx');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Whatever the umask of who builds it, as 077 of some roots. */
function write(file: string, note: Note, flag: 'w' | 'wx'): void {
  try {
    writeFileSync(file, JSON.stringify(note), { flag, mode: MODE });
  } catch (error) {
    throw notWritten(file, error);
  }
  chmodSync(file, MODE);
}
