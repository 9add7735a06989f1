/** The recorded messages of test/vectors/ng. */
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../../../test/vectors/ng/', import.meta.url);

export const NAMES: readonly string[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.ng'))
  .map((name) => name.slice(0, -'.ng'.length));

export function vector(name: string): Buffer {
  return readFileSync(new URL(`${name}.ng`, FOLDER));
}
