/** Files that a configuration names. They are read with it, so that what is wrong is told with it. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { Kind, Place, Read } from './key.ts';
import { Secret } from './secret.ts';

/** More than any certificate bundle or list of users needs. */
const MAX_FILE_LEN = 64 * 1024 * 1024;
const MAX_SECRET_LEN = 64 * 1024;
const CHUNK_LEN = 64 * 1024;
const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;

export interface LoadedFile {
  /** Absolute. */
  readonly path: string;
  readonly octets: Buffer;
}

/** The name of a file that need not be there yet. */
export const path: Kind<string> = {
  placeholder: 'FILE',
  expects: 'the name of a file',
  read: (given, { folder }) =>
    given === '' ? { wrong: 'must be the name of a file' } : { value: resolve(folder, given) },
};

export const file: Kind<LoadedFile> = {
  placeholder: 'FILE',
  expects: 'the name of a file that can be read',
  read: (given, place) => loadNamed(given, place, false),
};

/** A file with secrets in it: a warning when every user of the machine can read it. */
export const privateFile: Kind<LoadedFile> = {
  ...file,
  read: (given, place) => loadNamed(given, place, true),
};

export const secret: Kind<Secret> = {
  placeholder: 'SECRET',
  expects: 'a text that is not empty',
  isSecret: true,
  read: (given) => (given === '' ? { wrong: 'must not be empty' } : { value: new Secret(given) }),
};

/** A relative name is told with where it was looked for. */
function loadNamed(given: string, place: Place, isPrivate: boolean): Read<LoadedFile> {
  const loaded = load(given, place, MAX_FILE_LEN, isPrivate);
  if ('value' in loaded || isAbsolute(given)) return loaded;
  return { wrong: `(${resolve(place.folder, given)}) ${loaded.wrong}` };
}

/** The secret in a file, without the line end behind it. */
export function readSecretFile(given: string, place: Place): Read<Secret> {
  const loaded = load(given, place, MAX_SECRET_LEN, true);
  if ('wrong' in loaded) return loaded;
  const value = loaded.value.octets.toString('utf8').replace(/\r?\n$/, '');
  return value === '' ? { wrong: 'the file is empty' } : { value: new Secret(value) };
}

/** Reads a file whole; says in one line why not. Name and limit are checked on what was opened. */
export function load(
  given: string,
  place: Place,
  maxLen: number,
  isPrivate: boolean,
): Read<LoadedFile> {
  const name = resolve(place.folder, given);
  let fd: number | undefined;
  try {
    // Opening a pipe would wait for a writer, reading it for what he writes: an agent has calls to carry.
    fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (stats.isDirectory()) return { wrong: 'is a folder' };
    if (stats.isFIFO()) return { wrong: 'is a pipe, which a reload could not read again' };
    const octets = readUpTo(fd, maxLen + 1);
    if (octets.length > maxLen) return { wrong: `is larger than ${maxLen} octets` };
    if (isPrivate) judgeMode(name, stats, place);
    return { value: { path: name, octets } };
  } catch (error) {
    return { wrong: cannotRead(error) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** What a device or a pipe holds, its size does not tell: there may be no end to it. */
function readUpTo(fd: number, most: number): Buffer {
  const chunks: Buffer[] = [];
  for (let length = 0; length < most; ) {
    const chunk = Buffer.alloc(Math.min(CHUNK_LEN, most - length));
    const n = readSync(fd, chunk);
    if (n === 0) break;
    chunks.push(chunk.subarray(0, n));
    length += n;
  }
  return Buffer.concat(chunks);
}

/** Tells when a file with secrets is open to every user of the machine. */
function judgeMode(name: string, { mode }: Stats, place: Place): void {
  if (mode & OTHERS_WRITE) place.warn(`${name} can be written by every user: chmod o-rwx ${name}`);
  else if (mode & OTHERS_READ) {
    place.warn(`${name} holds secrets and can be read by every user: chmod o-rwx ${name}`);
  }
}

function cannotRead(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES') return 'may not be read by this user';
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
