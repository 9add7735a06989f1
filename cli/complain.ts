/** What went wrong, as exactly one line: names of files and arguments may hold anything. */
import type { World } from './command.ts';

export function complain(world: Pick<World, 'stderr'>, text: string): void {
  world.stderr.write(`tep: ${oneLine(text)}\n`);
}

/** Control characters as `\x0a`: no line is broken, no terminal is told to do anything. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
