/**
 * The client's side of authentication with one server: RFC 8489 9.1.2–9.1.5 (short-term) and
 * 9.2.3–9.2.5 (long-term). `request` makes the octets, `digest` judges what came back, `retry` makes
 * the next attempt. One object per server address; it remembers realm, nonce and algorithm.
 */
import type { Endpoint } from '../address.ts';
import { FAULTS, type Fault } from '../faults.ts';
import { attributeSize, type KnownAttribute } from './attributes.ts';
import type { PasswordAlgorithm } from './codecs.ts';
import { type IntegrityAlgorithm, integrityRight } from './integrity.ts';
import {
  type Credentials,
  type KeyHash,
  longTermKey,
  prepareCredentials,
  shortTermKey,
  userhash,
} from './keys.ts';
import { encode, find, type Integrity, type StunMessage, type StunParts } from './message.ts';
import { nonceFeatures } from './nonce.ts';
import { PASSWORD_ALGORITHMS } from './registry.ts';

export interface ClientAuthOptions {
  readonly mechanism: 'long-term' | 'short-term' | 'none';
  /** Needed unless the mechanism is `none`. */
  readonly credentials?: Credentials | undefined;
  /** Whether the transport is TCP or TLS: there a response that fails its check ends the transaction. */
  readonly reliable: boolean;
}

/** A request as sent: what is needed to judge its response and to try again. */
export interface SignedRequest {
  /** Without the attributes of the authentication. */
  readonly parts: StunParts;
  readonly octets: Uint8Array;
  /** `undefined`: sent bare. */
  readonly integrity: Integrity | undefined;
  readonly realm: string | undefined;
  /** How often this request was tried again after 401 and after 438. */
  readonly challenges: number;
  readonly stale: number;
}

/** What is to be done with a response. */
export type Verdict =
  /** A success response that is what it claims to be. */
  | { readonly type: 'success' }
  /** Send `retry(…)` with a new transaction id. */
  | { readonly type: 'retry' }
  /** As if it had never come: the transaction goes on. */
  | { readonly type: 'discard'; readonly fault: Fault }
  /** The transaction has failed with this answer. */
  | { readonly type: 'failed'; readonly code: number; readonly reason: string }
  /** The transaction has failed because the answer is not to be trusted or not to be understood. */
  | {
      readonly type: 'broken';
      readonly fault: Fault;
      /** What it claimed: for a log, not for a decision. */
      readonly code?: number | undefined;
    }
  /** 300: the same request, with the same credentials, to this server (RFC 8489 10). */
  | {
      readonly type: 'redirect';
      readonly server: Endpoint;
      /** The name that the certificate of that server must have; `undefined`: the same as now. */
      readonly domain: string | undefined;
    };

/** What a 401 or 438 taught us. */
interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  /** As received, to be sent back; `undefined`: a server of RFC 5389. */
  readonly offered: readonly PasswordAlgorithm[] | undefined;
  readonly anonymity: boolean;
  readonly keyHash: KeyHash;
  readonly key: Uint8Array;
}

/** One 401 when sent bare, one more when the server has changed its realm; one 438. */
const MAX_CHALLENGES = 2;
const MAX_STALE = 1;
/**
 * Octets of REALM, NONCE and PASSWORD-ALGORITHMS, which every later request carries: with the longest
 * user name and the integrity, 300 octets of a message (MAX_STUN_LEN) are left for what it is about.
 */
const MAX_CHALLENGE_LEN = 600;

export class ClientAuth {
  readonly #mechanism: ClientAuthOptions['mechanism'];
  readonly #credentials: Credentials;
  readonly #reliable: boolean;
  #challenge: Challenge | undefined;
  /** Short-term: what the server has answered with, so that later requests carry only that (9.1.5). */
  #algorithm: IntegrityAlgorithm | undefined;

  constructor(options: ClientAuthOptions) {
    this.#mechanism = options.mechanism;
    this.#reliable = options.reliable;
    if (options.mechanism !== 'none' && options.credentials === undefined) {
      throw new RangeError(`${options.mechanism} authentication needs credentials`);
    }
    this.#credentials = prepareCredentials(options.credentials ?? NOBODY);
  }

  /** The octets of a request. The attributes of the authentication are added to those of `parts`. */
  request(parts: StunParts): SignedRequest {
    return this.#sign(parts, 0, 0);
  }

  /** The same request again, after the verdict `retry`. The transaction id must be a new one. */
  retry(before: SignedRequest, transactionId: Uint8Array): SignedRequest {
    const parts = { ...before.parts, transactionId };
    const stale = before.realm === this.#challenge?.realm;
    return this.#sign(parts, before.challenges + (stale ? 0 : 1), before.stale + (stale ? 1 : 0));
  }

  /** Judges the response that was decoded from the octets at `at` and matches the transaction id. */
  digest(request: SignedRequest, response: StunMessage, b: Uint8Array, at: number): Verdict {
    if (response.class !== 'success' && response.class !== 'error') {
      return { type: 'discard', fault: FAULTS.STUN_UNEXPECTED };
    }
    if (this.#mechanism === 'long-term') {
      const code = find(response, 'ERROR-CODE')?.code;
      const challenged = response.class === 'error' && (code === 401 || code === 438);
      if (bidDown(response)) {
        return { type: challenged ? 'broken' : 'discard', fault: FAULTS.STUN_BID_DOWN };
      }
      if (challenged) return this.#learn(request, response, code);
    }
    if (request.integrity === undefined) return outcome(response, false);
    return this.#checkIntegrity(request.integrity, response, b, at);
  }

  #checkIntegrity(sent: Integrity, response: StunMessage, b: Uint8Array, at: number): Verdict {
    const algorithm = response.integritySha256At !== 0 ? 'sha256' : 'sha1';
    const expected = this.#mechanism === 'long-term' || sent.algorithms.includes(algorithm);
    if (expected && integrityRight(b, at, response, algorithm, sent.key)) {
      this.#algorithm = algorithm;
      return outcome(response, true);
    }
    const fault = FAULTS.STUN_INTEGRITY;
    const code = find(response, 'ERROR-CODE')?.code;
    const bare = response.integrityAt === 0 && response.integritySha256At === 0;
    // 9.2.5: the server may have had no key for a 400, and so may anybody on the way.
    const bare400 = bare && code === 400 && this.#mechanism === 'long-term';
    // 9.1.4: of two algorithms that the server might use, it took one that was not in the request.
    const mismatch = !bare && !expected;
    if (!this.#reliable || bare400 || mismatch) return { type: 'discard', fault };
    return { type: 'broken', fault, code };
  }

  /** A 401 or 438 (9.2.5). */
  #learn(request: SignedRequest, response: StunMessage, code: 401 | 438): Verdict {
    const failed = failure(response);
    const realm = find(response, 'REALM');
    const nonce = find(response, 'NONCE');
    if (realm === undefined || nonce === undefined) return failed;
    if (code === 401 && (realm === request.realm || request.challenges >= MAX_CHALLENGES)) {
      return failed;
    }
    if (code === 438 && (request.integrity === undefined || request.stale >= MAX_STALE)) {
      return failed;
    }
    const offered = find(response, 'PASSWORD-ALGORITHMS');
    if (this.#challenge?.offered !== undefined && offered === undefined) {
      return { type: 'broken', fault: FAULTS.STUN_BID_DOWN };
    }
    const length = echo(realm, nonce, offered).reduce((sum, a) => sum + attributeSize(a), 0);
    if (length > MAX_CHALLENGE_LEN) {
      return { type: 'broken', fault: FAULTS.STUN_LENGTH };
    }
    for (const keyHash of offered === undefined ? MD5_ONLY : offered.map(hashOf)) {
      const key = keyHash && longTermKey(this.#credentials, realm, keyHash);
      if (keyHash === undefined || key === undefined) continue;
      const anonymity = nonceFeatures(nonce, offered !== undefined)?.anonymity ?? false;
      this.#challenge = { realm, nonce, offered, anonymity, keyHash, key };
      return { type: 'retry' };
    }
    return failed;
  }

  #sign(parts: StunParts, challenges: number, stale: number): SignedRequest {
    const added = this.#attributes();
    const integrity = this.#integrity();
    const attributes = [...parts.attributes, ...added];
    const octets = encode({ ...parts, attributes }, { integrity, fingerprint: true });
    const realm = this.#challenge?.realm;
    return { parts, octets, integrity, realm, challenges, stale };
  }

  #attributes(): KnownAttribute[] {
    const { name } = this.#credentials;
    if (this.#mechanism === 'short-term') return [{ type: 'USERNAME', value: name }];
    const challenge = this.#challenge;
    if (challenge === undefined) return [];
    const { realm, nonce, offered, keyHash } = challenge;
    const user: KnownAttribute = challenge.anonymity
      ? { type: 'USERHASH', value: userhash(name, realm) }
      : { type: 'USERNAME', value: name };
    const attributes = [user, ...echo(realm, nonce, offered)];
    if (offered === undefined) return attributes;
    const algorithm = { algorithm: HASH_NUMBERS[keyHash], parameters: new Uint8Array(0) };
    return [...attributes, { type: 'PASSWORD-ALGORITHM', value: algorithm }];
  }

  #integrity(): Integrity | undefined {
    if (this.#mechanism === 'short-term') {
      const key = shortTermKey(this.#credentials);
      if (key === undefined) throw new RangeError('short-term authentication needs a password');
      return { key, algorithms: this.#algorithm ? [this.#algorithm] : ['sha1', 'sha256'] };
    }
    if (this.#challenge === undefined) return undefined;
    const { key, offered } = this.#challenge;
    return { key, algorithms: [offered === undefined ? 'sha1' : 'sha256'] };
  }
}

const NOBODY: Credentials = { name: '-' };
const MD5_ONLY: readonly KeyHash[] = ['md5'];
const HASH_NUMBERS = { md5: PASSWORD_ALGORITHMS.MD5, sha256: PASSWORD_ALGORITHMS.SHA256 } as const;

/** What goes back to the server as it came. */
function echo(
  realm: string,
  nonce: string,
  offered: readonly PasswordAlgorithm[] | undefined,
): KnownAttribute[] {
  const attributes: KnownAttribute[] = [
    { type: 'REALM', value: realm },
    { type: 'NONCE', value: nonce },
  ];
  if (offered !== undefined) attributes.push({ type: 'PASSWORD-ALGORITHMS', value: offered });
  return attributes;
}

/** `undefined`: an algorithm that we do not know, or a known one with parameters that it has not. */
function hashOf(offer: PasswordAlgorithm): KeyHash | undefined {
  if (offer.parameters.length !== 0) return undefined;
  if (offer.algorithm === HASH_NUMBERS.sha256) return 'sha256';
  return offer.algorithm === HASH_NUMBERS.md5 ? 'md5' : undefined;
}

/** The nonce says that there are PASSWORD-ALGORITHMS, and there are none (RFC 8489 9.2.1, 9.2.5). */
function bidDown(response: StunMessage): boolean {
  const nonce = find(response, 'NONCE');
  if (nonce === undefined || find(response, 'PASSWORD-ALGORITHMS') !== undefined) return false;
  return nonceFeatures(nonce, false)?.passwordAlgorithms ?? false;
}

/** RFC 8489 6.3.3, 6.3.4 and 10, for a response whose integrity was right (`trusted`) or not needed. */
function outcome(response: StunMessage, trusted: boolean): Verdict {
  if (response.unknownRequired.length > 0) {
    return { type: 'broken', fault: FAULTS.STUN_UNKNOWN_REQUIRED };
  }
  if (response.class === 'success') return { type: 'success' };
  const server = find(response, 'ALTERNATE-SERVER');
  // 14.8: a 300 that anybody could have sent must not lead the client anywhere.
  if (trusted && server !== undefined && find(response, 'ERROR-CODE')?.code === 300) {
    return { type: 'redirect', server, domain: find(response, 'ALTERNATE-DOMAIN') };
  }
  return failure(response);
}

function failure(response: StunMessage): Verdict {
  const error = find(response, 'ERROR-CODE');
  if (error === undefined) return { type: 'broken', fault: FAULTS.STUN_ATTRIBUTE };
  return { type: 'failed', code: error.code, reason: error.reason };
}
