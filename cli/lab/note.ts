/**
 * Where the laboratory of `tep lab up` is, for `status` and `down`: one file, so that there is one
 * laboratory on a machine. A note of a process that has ended counts for nothing. Nothing in it is
 * secret, and everybody may read it.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIoFault } from '../../io/io-fault.ts';
import { lockFile } from '../../io/kernel/file-lock.ts';
import { LabError, notWritten } from '../../lab/lab-error.ts';
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

/**
 * Undefined: nobody else has a laboratory, and the note is ours. Otherwise the note of who has one. One at a time: two
 * that find the same leftover would both take it away, the slower one what the other has just written.
 */
export function claim(file: string, note: Note): Note | undefined {
  const held = lockFile(`${file}.lock`);
  if (isIoFault(held)) throw new LabError(`${file} cannot be claimed: ${held.text}`);
  try {
    const other = readNote(file);
    if (other === undefined) write(file, note);
    return other;
  } finally {
    held.release();
  }
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
  write(file, note);
}

/** Takes away one's own note, and nobody else's. */
export function withdraw(file: string, run: RunId): void {
  const note = readNote(file);
  if (note !== undefined && isSameRun(note.run, run)) rmSync(file, { force: true });
}

/** Whatever the umask of who builds it, as 077 of some roots. */
function write(file: string, note: Note): void {
  try {
    writeFileSync(file, JSON.stringify(note), { mode: MODE });
  } catch (error) {
    throw notWritten(file, error);
  }
  chmodSync(file, MODE);
}
