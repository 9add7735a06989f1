/**
 * The configurations of docs/deploy, which the laboratory runs as they are: its addresses are those that
 * stand there. Only folders of the system are replaced by one of the run.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeLabFile } from '../files.ts';

const FILES = fileURLToPath(new URL('../../../docs/deploy/', import.meta.url));
const SYSTEM_FOLDERS = /\/(?:etc|var\/log|run)\/(?:kamailio|rtpengine|tep)\b/g;

/** A change to a line of a configuration: what a deployment of its own would edit. */
export interface Change {
  readonly from: string;
  readonly to: string;
}

/** A configuration of an agent with other settings; one that it has already is replaced, a list with all its lines. */
export function withSettings(text: string, lines: readonly string[]): string {
  const keys = new Set(lines.map((line) => line.slice(0, line.indexOf(':'))));
  const kept: string[] = [];
  let isReplaced = false;
  for (const line of text.trimEnd().split('\n')) {
    if (!line.startsWith(' ')) isReplaced = keys.has(line.slice(0, line.indexOf(':')));
    if (!isReplaced) kept.push(line);
  }
  return [...kept, ...lines, ''].join('\n');
}

/** Writes a configuration for use from `folder`; gives its name there. */
export async function deploy(
  file: string,
  folder: string,
  changes: readonly Change[] = [],
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const text = await readFile(join(FILES, file), 'utf8');
  const target = join(folder, basename(file));
  await writeLabFile(target, changed(text, changes).replaceAll(SYSTEM_FOLDERS, folder));
  return target;
}

function changed(text: string, changes: readonly Change[]): string {
  return changes.reduce((whole, { from, to }) => {
    if (!whole.includes(from)) throw new RangeError(`no configuration says ${from}`);
    return whole.replaceAll(from, to);
  }, text);
}
