/** Files that the lab writes for its programs. */
import { writeFile } from 'node:fs/promises';
import { notWritten } from './lab-error.ts';

/** Throws LabError that names the file when there is no room for it. */
export async function writeLabFile(
  file: string,
  data: string | Uint8Array,
  mode = 0o666,
): Promise<void> {
  try {
    await writeFile(file, data, { mode });
  } catch (error) {
    throw notWritten(file, error);
  }
}
