/**
 * Digest authentication (RFC 7616) from the client's side, without auth-int, which a request without
 * content has no use for. Header text is an octet per character; names and passwords are hashed in
 * UTF-8.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Challenge } from './challenges.ts';
import type { Credentials } from './credentials.ts';

export interface DigestChallenge {
  readonly algorithm: Algorithm;
  /** The algorithm as the server spelt it; undefined where it left it to the default. */
  readonly algorithmText: string | undefined;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  /** False: as in RFC 2069, without counter and client nonce. */
  readonly hasQop: boolean;
  /** The credentials were right, the nonce was too old. */
  readonly stale: boolean;
  readonly userhash: boolean;
}

export interface DigestRequest {
  readonly method: string;
  readonly uri: string;
  /** How often this nonce has been used, this time included. */
  readonly count: number;
  readonly clientNonce: string;
}

interface Algorithm {
  readonly hash: 'md5' | 'sha256' | 'sha512-256';
  /** The key is made once from both nonces. */
  readonly session: boolean;
  /** Of several challenges the one with the highest is answered. */
  readonly strength: number;
}

/** RFC 7616 clause 6.1. */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['md5', { hash: 'md5', session: false, strength: 1 }],
  ['md5-sess', { hash: 'md5', session: true, strength: 1 }],
  ['sha-256', { hash: 'sha256', session: false, strength: 2 }],
  ['sha-256-sess', { hash: 'sha256', session: true, strength: 2 }],
  ['sha-512-256', { hash: 'sha512-256', session: false, strength: 3 }],
  ['sha-512-256-sess', { hash: 'sha512-256', session: true, strength: 3 }],
]);

/** Undefined when we cannot answer it: another scheme, an unknown algorithm, auth-int alone, no nonce. */
export function digestChallenge({ scheme, parameters }: Challenge): DigestChallenge | undefined {
  const algorithmText = parameters.get('algorithm');
  const algorithm = ALGORITHMS.get((algorithmText ?? 'MD5').toLowerCase());
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  const qop = parameters
    .get('qop')
    ?.toLowerCase()
    .split(/[ \t]*,[ \t]*/);
  if (scheme !== 'digest' || algorithm === undefined) return undefined;
  if (realm === undefined || nonce === undefined || qop?.includes('auth') === false)
    return undefined;
  return {
    algorithm,
    algorithmText,
    realm,
    nonce,
    opaque: parameters.get('opaque'),
    hasQop: qop !== undefined,
    stale: parameters.get('stale')?.toLowerCase() === 'true',
    userhash: parameters.get('userhash')?.toLowerCase() === 'true',
  };
}

/** Value of Authorization or Proxy-Authorization. */
export function digestAuthorization(
  challenge: DigestChallenge,
  credentials: Credentials,
  request: DigestRequest,
): string {
  const { algorithm, algorithmText, realm, nonce, opaque, hasQop, userhash } = challenge;
  const { uri, clientNonce } = request;
  const parameters = [
    userParameter(challenge, credentials.name),
    `realm=${quoted(realm)}`,
    `uri=${quoted(uri)}`,
    `nonce=${quoted(nonce)}`,
    `response="${responseTo(challenge, credentials, request)}"`,
  ];
  if (algorithmText !== undefined) parameters.push(`algorithm=${algorithmText}`);
  if (opaque !== undefined) parameters.push(`opaque=${quoted(opaque)}`);
  if (hasQop) parameters.push('qop=auth', `nc=${counter(request.count)}`);
  if (hasQop || algorithm.session) parameters.push(`cnonce=${quoted(clientNonce)}`);
  if (userhash) parameters.push('userhash=true');
  return `Digest ${parameters.join(', ')}`;
}

/** RFC 7616 clause 3.4.1. */
function responseTo(
  challenge: DigestChallenge,
  { name, password }: Credentials,
  { method, uri, count, clientNonce }: DigestRequest,
): string {
  const { algorithm, realm, nonce, hasQop } = challenge;
  const hash = (...parts: Array<string | Buffer>) => hashOf(algorithm, parts);
  const user = hash(Buffer.from(name), realm, Buffer.from(password));
  const a1 = algorithm.session ? hash(user, nonce, clientNonce) : user;
  const a2 = hash(method, uri);
  return hasQop ? hash(a1, nonce, counter(count), clientNonce, 'auth', a2) : hash(a1, nonce, a2);
}

/** Clauses 3.4 and 3.4.4: a name that ASCII cannot write stands as RFC 8187 says. */
function userParameter({ userhash, algorithm, realm }: DigestChallenge, name: string): string {
  if (userhash) return `username="${hashOf(algorithm, [Buffer.from(name), realm])}"`;
  if (/^[\x20-\x7e]*$/.test(name)) return `username=${quoted(name)}`;
  return `username*=UTF-8''${percentEncoded(name)}`;
}

/** The parts with a colon between them, hashed, in hex. Text is an octet per character. */
function hashOf({ hash }: Algorithm, parts: ReadonlyArray<string | Buffer>): string {
  const sum = createHash(hash);
  parts.forEach((part, i) => {
    if (i > 0) sum.update(':');
    sum.update(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  });
  return sum.digest('hex');
}

function counter(count: number): string {
  return count.toString(16).padStart(8, '0');
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function percentEncoded(text: string): string {
  const encode = (octet: number) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  return [...Buffer.from(text)]
    .map((octet) => {
      const character = String.fromCharCode(octet);
      return /[\w!#$&+.^`|~-]/.test(character) ? character : encode(octet);
    })
    .join('');
}
