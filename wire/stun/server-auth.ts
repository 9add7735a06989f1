/**
 * The server's side of authentication: RFC 8489 9.1.3 (short-term) and 9.2.4 (long-term), with the
 * checks in the order that the RFC gives. What comes back is either who asks and how to protect the
 * answer, or the error response to send. An unknown user costs the same work as a wrong password.
 */
import type { Endpoint } from '../address.ts';
import { FAULTS, type Fault } from '../faults.ts';
import type { Attribute, AttributeName } from './attributes.ts';
import type { PasswordAlgorithm } from './codecs.ts';
import { type IntegrityAlgorithm, integrityRight } from './integrity.ts';
import { type Credentials, type KeyHash, longTermKey, shortTermKey } from './keys.ts';
import {
  errorResponse,
  find,
  has,
  type Integrity,
  type StunMessage,
  type StunParts,
} from './message.ts';
import { makeNonce, nonceFeatures, nonceFresh } from './nonce.ts';
import { ATTRIBUTES, type ErrorCode, PASSWORD_ALGORITHMS } from './registry.ts';
import type { Users } from './users.ts';

export type AuthPolicy = LongTermPolicy | ShortTermPolicy | { readonly mechanism: 'none' };

export interface LongTermPolicy {
  readonly mechanism: 'long-term';
  /** Prepared (precis.ts). */
  readonly realm: string;
  readonly users: Users;
  /**
   * Random; whoever has it can make nonces. Servers of a cluster share it. With other `keyHashes` it
   * has to be another one: a nonce is good for what was offered with it.
   */
  readonly nonceSecret: Uint8Array;
  readonly nonceLifetimeMs: number;
  /** Offered in this order. None: as RFC 5389, MD5 without being offered. */
  readonly keyHashes: readonly KeyHash[];
  /** Whether clients are asked to send USERHASH in place of USERNAME. */
  readonly anonymity: boolean;
}

export interface ShortTermPolicy {
  readonly mechanism: 'short-term';
  readonly users: Users;
}

export type AuthResult = Authenticated | Refused;

export interface Authenticated {
  readonly ok: true;
  /** Whose the credentials are. `undefined`: nobody was asked to say who he is. */
  readonly user: string | undefined;
  /** What every response to this request is to be protected with. */
  readonly integrity: Integrity | undefined;
}

export interface Refused {
  readonly ok: false;
  readonly fault: Fault;
  /** `undefined`: the message is to be dropped silently (indications, responses). */
  readonly answer: StunParts | undefined;
  readonly integrity: Integrity | undefined;
}

/** Known to the codec, but not understood by any server of ours: RFC 5780 6.1 wants a 420 for them. */
const NOT_SERVED: readonly AttributeName[] = ['CHANGE-REQUEST', 'PADDING', 'RESPONSE-PORT'];

/** What stands in for a user that does not exist; nothing that verifies against it is let in. */
const NOBODY: readonly Credentials[] = [{ name: 'nobody', password: 'no password' }];

/** Judges a message that was decoded from the octets at `at`. `client` is where it came from. */
export function authenticate(
  message: StunMessage,
  b: Uint8Array,
  at: number,
  policy: AuthPolicy,
  client: Endpoint,
  now: number,
): AuthResult {
  const result = judge(message, b, at, policy, client, now);
  // Nothing is ever answered to an indication (RFC 8489 6.3.2), nor to a response.
  return result.ok || message.class === 'request' ? result : { ...result, answer: undefined };
}

function judge(
  message: StunMessage,
  b: Uint8Array,
  at: number,
  policy: AuthPolicy,
  client: Endpoint,
  now: number,
): AuthResult {
  const result = checkCredentials(message, b, at, policy, client, now);
  const unknown = result.ok ? notUnderstood(message) : [];
  if (unknown.length === 0) return result;
  const list: Attribute = { type: 'UNKNOWN-ATTRIBUTES', value: unknown };
  return refuse(message, FAULTS.STUN_UNKNOWN_REQUIRED, 420, [list], result.integrity);
}

/** Numbers of the attributes that make a request one to answer with 420 (RFC 8489 6.3.1). */
export function notUnderstood(message: StunMessage): readonly number[] {
  const notServed = NOT_SERVED.filter((name) => has(message, name));
  if (notServed.length === 0) return message.unknownRequired;
  return [...message.unknownRequired, ...notServed.map((name) => ATTRIBUTES[name])];
}

function checkCredentials(
  message: StunMessage,
  b: Uint8Array,
  at: number,
  policy: AuthPolicy,
  client: Endpoint,
  now: number,
): AuthResult {
  if (message.class !== 'request' && message.class !== 'indication') {
    return refuse(message, FAULTS.STUN_UNEXPECTED, 400);
  }
  switch (policy.mechanism) {
    case 'none':
      return { ok: true, user: undefined, integrity: undefined };
    case 'short-term':
      return checkShortTerm(message, b, at, policy, now);
    case 'long-term':
      return checkLongTerm(message, b, at, policy, client, now);
  }
}

/** RFC 8489 9.1.3. */
function checkShortTerm(
  message: StunMessage,
  b: Uint8Array,
  at: number,
  policy: ShortTermPolicy,
  now: number,
): AuthResult {
  const username = find(message, 'USERNAME');
  const algorithm = algorithmOf(message);
  if (algorithm === undefined || username === undefined) {
    return refuse(message, FAULTS.STUN_INTEGRITY, 400);
  }
  const users = policy.users.byName(username, now);
  const match = matching(users, shortTermKey, message, b, at, algorithm);
  if (match === undefined) return refuse(message, FAULTS.STUN_INTEGRITY, 401);
  return {
    ok: true,
    user: match.owner,
    integrity: { key: match.key, algorithms: [algorithm] },
  };
}

/** RFC 8489 9.2.4. Indications cannot be challenged, so none is ever let in (9.2). */
function checkLongTerm(
  message: StunMessage,
  b: Uint8Array,
  at: number,
  policy: LongTermPolicy,
  client: Endpoint,
  now: number,
): AuthResult {
  const algorithm = algorithmOf(message);
  const challenge = () => challengeOf(policy, client, now);
  if (algorithm === undefined || message.class !== 'request') {
    return refuse(message, FAULTS.STUN_INTEGRITY, 401, challenge());
  }
  const nonce = find(message, 'NONCE');
  const users = usersOf(message, policy.users, now);
  if (users === undefined || nonce === undefined || !has(message, 'REALM')) {
    return refuse(message, FAULTS.STUN_INTEGRITY, 400);
  }
  const keyHash = keyHashOf(message, nonce, policy);
  const isFresh = nonceFresh(nonce, policy.nonceSecret, client, now, policy.nonceLifetimeMs);
  if (keyHash === undefined) {
    // What was offered with a nonce of another time is not known: the offer may have been another.
    if (!isFresh) return refuse(message, FAULTS.STUN_NONCE, 438, challenge());
    return refuse(message, FAULTS.STUN_INTEGRITY, 400);
  }
  const key = (user: Credentials) => longTermKey(user, policy.realm, keyHash);
  const match = matching(users, key, message, b, at, algorithm);
  if (match === undefined || find(message, 'REALM') !== policy.realm) {
    return refuse(message, FAULTS.STUN_INTEGRITY, 401, challenge());
  }
  if (!isFresh) {
    return refuse(message, FAULTS.STUN_NONCE, 438, challenge());
  }
  const algorithms = [has(message, 'PASSWORD-ALGORITHM') ? 'sha256' : 'sha1'] as const;
  return { ok: true, user: match.owner, integrity: { key: match.key, algorithms } };
}

/** Whom USERNAME or USERHASH may mean; `undefined`: the message has neither. */
function usersOf(message: StunMessage, users: Users, now: number) {
  const name = find(message, 'USERNAME');
  if (name !== undefined) return users.byName(name, now);
  const hash = find(message, 'USERHASH');
  return hash === undefined ? undefined : users.byHash(hash);
}

/** MESSAGE-INTEGRITY-SHA256 is the one that counts where both are there. */
function algorithmOf(message: StunMessage): IntegrityAlgorithm | undefined {
  if (message.integritySha256At !== 0) return 'sha256';
  return message.integrityAt !== 0 ? 'sha1' : undefined;
}

/**
 * Which hash makes the key; `undefined`: PASSWORD-ALGORITHMS is not what we offered with this nonce,
 * or PASSWORD-ALGORITHM is none of it: somebody on the way wants us weaker than we are (9.2.1).
 */
function keyHashOf(
  message: StunMessage,
  nonce: string,
  policy: LongTermPolicy,
): KeyHash | undefined {
  if (!nonceFeatures(nonce, false)?.passwordAlgorithms) return 'md5';
  const wanted = find(message, 'PASSWORD-ALGORITHM');
  const returned = find(message, 'PASSWORD-ALGORITHMS');
  if (wanted === undefined && returned === undefined) return 'md5';
  if (wanted === undefined || returned === undefined) return undefined;
  const offered = offerOf(policy);
  const same =
    returned.length === offered.length &&
    offered.every((entry, i) => sameAlgorithm(entry, returned[i]));
  const index = offered.findIndex((entry) => sameAlgorithm(entry, wanted));
  return same ? policy.keyHashes[index] : undefined;
}

interface Match {
  readonly owner: string;
  readonly key: Uint8Array;
}

/** The first of the users whose key verifies. Nobody found: the work is done all the same. */
function matching(
  users: readonly Credentials[],
  keyOf: (user: Credentials) => Uint8Array | undefined,
  message: StunMessage,
  b: Uint8Array,
  at: number,
  algorithm: IntegrityAlgorithm,
): Match | undefined {
  for (const user of users.length > 0 ? users : NOBODY) {
    const key = keyOf(user);
    const right = integrityRight(b, at, message, algorithm, key ?? NO_KEY);
    if (right && key !== undefined && users.length > 0)
      return { owner: user.owner ?? user.name, key };
  }
  return undefined;
}

const NO_KEY = new Uint8Array(16);

function challengeOf(policy: LongTermPolicy, client: Endpoint, now: number): Attribute[] {
  const passwordAlgorithms = policy.keyHashes.length > 0;
  const features = { passwordAlgorithms, anonymity: policy.anonymity };
  const challenge: Attribute[] = [
    { type: 'REALM', value: policy.realm },
    { type: 'NONCE', value: makeNonce(policy.nonceSecret, features, client, now) },
  ];
  if (passwordAlgorithms) challenge.push({ type: 'PASSWORD-ALGORITHMS', value: offerOf(policy) });
  return challenge;
}

function offerOf(policy: LongTermPolicy): readonly PasswordAlgorithm[] {
  return policy.keyHashes.map((hash) => OFFERS[hash]);
}

const OFFERS: Readonly<Record<KeyHash, PasswordAlgorithm>> = {
  md5: { algorithm: PASSWORD_ALGORITHMS.MD5, parameters: new Uint8Array(0) },
  sha256: { algorithm: PASSWORD_ALGORITHMS.SHA256, parameters: new Uint8Array(0) },
};

/** Ours have no parameters; one with parameters is another algorithm. */
function sameAlgorithm(ours: PasswordAlgorithm, other: PasswordAlgorithm | undefined): boolean {
  return other?.algorithm === ours.algorithm && other.parameters.length === 0;
}

function refuse(
  message: StunMessage,
  fault: Fault,
  code: ErrorCode,
  attributes: readonly Attribute[] = [],
  integrity: Integrity | undefined = undefined,
): Refused {
  return { ok: false, fault, answer: errorResponse(message, code, attributes), integrity };
}
