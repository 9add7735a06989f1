/**
 * Files that the installer made say so in their first line, with a hash of the rest: what a person has
 * edited, or another program made, is told from what can be replaced.
 */
import { createHash } from 'node:crypto';

const STAMP =
  /^# Made by tep service install, to be replaced by it. Edited files are kept. ([0-9a-f]{64})\n/;

export function stamped(text: string): string {
  return `# Made by tep service install, to be replaced by it. Edited files are kept. ${hashOf(text)}\n${text}`;
}

export function isOurs(content: string): boolean {
  const [line, hash] = STAMP.exec(content) ?? [];
  return line !== undefined && hash === hashOf(content.slice(line.length));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
