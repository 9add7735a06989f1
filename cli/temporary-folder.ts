/** Where a command puts files that nobody needs after it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from './command.ts';

/** A new folder that only this user may open; throws `Failure` where none can be made. */
export function temporaryFolder(prefix: string): string {
  const place = tmpdir();
  try {
    return mkdtempSync(join(place, prefix));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(`no folder for temporary files in ${place} (TMPDIR says where): ${why}`);
  }
}

export interface PassingFolder {
  readonly path: string;
  remove(): void;
}

/** One that is gone when the process ends, whatever ends it but force: nobody may find the passwords in it. */
export function passingFolder(prefix: string): PassingFolder {
  const path = temporaryFolder(prefix);
  const remove = () => {
    process.off('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { path, remove };
}
