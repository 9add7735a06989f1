/**
 * Makes a folder and those above it. Not by the `recursive` of Node, which never ends where a file system
 * says that there is no such folder though the one above it is there, as /proc does.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Throws as `mkdirSync` does; a folder that is there already is left as it is. */
export function makeFolder(path: string, mode: number): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Somebody else has made it in the meantime.
    if (!existsSync(path)) throw error;
  }
}
