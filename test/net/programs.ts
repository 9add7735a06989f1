/** Programs of the tests that run on hosts of a lab, as `node` with a file beside this one. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

/** The command and arguments for `Network.start` and `Network.run`. */
export function nodeProgram(
  file: string,
  ...args: readonly string[]
): { readonly command: string; readonly args: string[] } {
  return { command: process.execPath, args: [join(HERE, file), ...args] };
}
