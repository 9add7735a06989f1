/** What went wrong, as exactly one line: names of files and arguments may hold anything. */
import { oneLine } from '../ops/one-line.ts';
import type { World } from './command.ts';

export function complain(world: Pick<World, 'stderr'>, text: string): void {
  world.stderr.write(`tep: ${oneLine(text)}\n`);
}
