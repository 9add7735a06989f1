/** Real programs that tests talk to: is one installed, and what does it print. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';

const run = promisify(execFile);

/** Most that a program may print. */
const MAX_OUTPUT_LEN = 64 * 1024 * 1024;

/** The reason for a skipped test when the program is not installed; undefined when it is. */
export function peerMissing(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const there = folders.some((folder) => executable(join(folder, program)));
  return there ? undefined : `${program} is not installed`;
}

/**
 * A test that is registered as skipped, with the reason in its title, when the program is missing. Those
 * of a file run one after the other: dozens of programs at once take memory, and no less time.
 */
export function peerTest(
  program: string,
  title: string,
  body: (t: ExecutionContext) => void | Promise<void>,
): void {
  const missing = peerMissing(program);
  if (missing === undefined) test.serial(title, body);
  else test.skip(`${title} (${missing})`, body);
}

/** Standard output of a program that ends by itself; throws when it ends with an error. */
export async function peerOutput(
  program: string,
  args: readonly string[],
  cwd?: string,
): Promise<string> {
  const { stdout } = await run(program, [...args], { maxBuffer: MAX_OUTPUT_LEN, cwd });
  return stdout;
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
