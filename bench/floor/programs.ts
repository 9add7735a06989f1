/** The programs of the floor: C, compiled when they are wanted. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The sources, from build/bench/floor, where this runs. */
const SOURCES = fileURLToPath(new URL('../../../bench/floor', import.meta.url));

/** What a program prints when the other one may be started, or traffic. */
export const READY = { listen: /^listening (\d+)$/m, connect: /^ready$/m } as const;

/** Puts the program into `folder`; gives its path. */
export function compile(name: 'veth' | 'udp', folder: string): string {
  const program = join(folder, name);
  const source = join(SOURCES, `${name}.c`);
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', program, source], { stdio: 'inherit' });
  return program;
}
