/** What checks see of the machine: files of the system and programs. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

export interface Ran {
  /** -1: the program is not there, or did not end in time. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Machine {
  /** The text of a file without blanks at its ends; undefined where it cannot be read. */
  read(path: string): string | undefined;
  run(program: string, ...args: readonly string[]): Promise<Ran>;
}

/** System programs are not on the path of every user. */
const PATH = `/usr/sbin:/sbin:/usr/bin:/bin:${process.env.PATH ?? ''}`;
const RUN_MS = 10_000;

export const MACHINE: Machine = {
  read(path) {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return undefined;
    }
  },
  async run(program, ...args) {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH, LC_ALL: 'C' },
      timeout: RUN_MS,
    });
    const ended = new Promise<number>((resolve) => {
      child.on('error', () => resolve(-1)).on('close', (code) => resolve(code ?? -1));
    });
    const [code, stdout, stderr] = await Promise.all([
      ended,
      text(child.stdout),
      text(child.stderr),
    ]);
    return { code, stdout, stderr };
  },
};
