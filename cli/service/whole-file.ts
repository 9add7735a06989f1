/** A file that is there whole or not at all, whatever ends the writing: half a unit would not be ours any more. */
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Throws what the system says; what stood under the name before stays then. */
export function writeWhole(path: string, text: string, mode: number): void {
  const fresh = `${path}.${process.pid}.part`;
  try {
    writeFileSync(fresh, text, { mode, flag: 'wx' });
    // The mode above is less the umask.
    chmodSync(fresh, mode);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}
