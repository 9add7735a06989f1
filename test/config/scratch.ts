/** A folder for the files of one test, gone after it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

export interface Scratch {
  readonly folder: string;
  /** Writes a file; gives its whole name. */
  file(name: string, text: string, mode?: number): string;
}

export function scratch(t: ExecutionContext): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'tep-config-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    file(name, text, mode = 0o600) {
      const path = join(folder, name);
      writeFileSync(path, text, { mode });
      return path;
    },
  };
}
