/** C programs of the benches: compiled when they are needed, with what every Debian has (build-essential). */
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool } from '../lab/tool.ts';
import { scratchFolder } from './scratch.ts';

/** Of the repository, seen from the compiled file. */
const ROOT = new URL('../../', import.meta.url);

const compiled = new Map<string, Promise<string>>();

/** The program's path. `source`: from the root of the repository, `bench/media/media.c`. */
export function compile(source: string): Promise<string> {
  const known = compiled.get(source) ?? compileNow(source);
  compiled.set(source, known);
  return known;
}

async function compileNow(source: string): Promise<string> {
  const program = join(scratchFolder(), basename(source, '.c'));
  const file = fileURLToPath(new URL(source, ROOT));
  await runTool({ program: 'cc', args: ['-O2', '-o', program, file, '-lm'] });
  return program;
}
