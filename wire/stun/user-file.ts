/**
 * The file of users of a tunnel server: one `name:password` a line, or a key in place of the password,
 * in hexadecimal digits:
 *
 *     alice:a password with: colons
 *     bob:{sha256}e5c1…     SHA-256 of `bob:realm:password`
 *     bob:{md5}8493…        MD5 of the same, the H(A1) of SIP digest
 *
 * A name may have a line for each key. Empty lines and lines that begin with `#` are skipped. A name
 * holds no colon. What is wrong is told by its line number, never with the secret.
 */
import { Buffer } from 'node:buffer';
import { type Credentials, prepareCredentials } from './keys.ts';

export interface UserFile {
  readonly users: readonly Credentials[];
  /** One line for people each; when there are any, the file is not to be used. */
  readonly problems: readonly string[];
}

/** Octets of a key. */
const KEY_LENGTHS = { md5: 16, sha256: 32 } as const;
const KEY = /^\{(md5|sha256)\}(.*)$/;
const DIGITS = /^(?:[0-9a-fA-F]{2})+$/;

type Secret = Pick<Credentials, 'password' | 'md5' | 'sha256'>;

export function readUserFile(text: string): UserFile {
  const users = new Map<string, Credentials>();
  const problems: string[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.trim() === '' || line.startsWith('#')) continue;
    const problem = readLine(line, users);
    if (problem !== '') problems.push(`line ${index + 1}: ${problem}`);
  }
  return { users: [...users.values()], problems };
}

/** Adds what the line says; gives what is wrong with it, else nothing. */
function readLine(line: string, users: Map<string, Credentials>): string {
  const colon = line.indexOf(':');
  if (colon < 1) return 'not name:password';
  const secret = secretOf(line.slice(colon + 1));
  if (typeof secret === 'string') return secret;
  const credentials = prepared({ name: line.slice(0, colon), ...secret });
  if (credentials === undefined) return 'a character that neither name nor password may have';
  const known = users.get(credentials.name);
  if (known !== undefined && Object.keys(secret).some((kind) => kind in known)) {
    return `${credentials.name} is there already`;
  }
  users.set(credentials.name, { ...known, ...credentials });
  return '';
}

function secretOf(text: string): Secret | string {
  if (text === '') return 'the password is empty';
  const [, hash, digits = ''] = KEY.exec(text) ?? [];
  if (hash !== 'md5' && hash !== 'sha256') return { password: text };
  const length = KEY_LENGTHS[hash];
  const right = digits.length === 2 * length && DIGITS.test(digits);
  if (!right) return `{${hash}} wants ${2 * length} hexadecimal digits`;
  return { [hash]: Buffer.from(digits, 'hex') };
}

function prepared(credentials: Credentials): Credentials | undefined {
  try {
    return prepareCredentials(credentials);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
