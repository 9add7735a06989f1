/**
 * Who we are to one proxy: answers its challenges with Digest where it can, else with Basic (RFC
 * 7617), and remembers what the proxy wanted, so that later connections need not ask again. The
 * strongest of several challenges is answered.
 *
 * The credentials leave this object only as a header value, and Basic, which anybody on the way can
 * read, only when the proxy asked for nothing better.
 */
import { Buffer } from 'node:buffer';
import type { Challenge } from './challenges.ts';
import { type Credentials, credentialsProblem } from './credentials.ts';
import { type DigestChallenge, digestAuthorization, digestChallenge } from './digest.ts';

const CLIENT_NONCE_LEN = 16;

/**
 * `answer`: ask again, with `authorization` · `refused`: the credentials are wrong · `unsupported`:
 * nothing that was asked for can be answered.
 */
export type Verdict = 'answer' | 'refused' | 'unsupported';

type Wanted = 'nothing' | 'basic' | DigestChallenge;

export class ProxyLogin {
  readonly #credentials: Credentials;
  readonly #random: (length: number) => Uint8Array;
  #wanted: Wanted = 'nothing';
  /** How often the nonce of the remembered challenge has been used. */
  #count = 0;

  constructor(credentials: Credentials, random: (length: number) => Uint8Array) {
    const problem = credentialsProblem(credentials);
    if (problem !== undefined) throw new RangeError(problem);
    this.#credentials = credentials;
    this.#random = random;
  }

  /** Value of Proxy-Authorization for a CONNECT to `authority`; undefined while nobody asked. */
  authorization(authority: string): string | undefined {
    if (this.#wanted === 'nothing') return undefined;
    if (this.#wanted === 'basic') return basicAuthorization(this.#credentials);
    this.#count += 1;
    return digestAuthorization(this.#wanted, this.#credentials, {
      method: 'CONNECT',
      uri: authority,
      count: this.#count,
      clientNonce: Buffer.from(this.#random(CLIENT_NONCE_LEN)).toString('base64'),
    });
  }

  /**
   * A proxy refused a request that carried `sent`. `answered`: a challenge on this dial has been
   * answered before, so that only a nonce that is too old is a reason to try again.
   */
  challenged(
    challenges: readonly Challenge[],
    sent: string | undefined,
    answered: boolean,
  ): Verdict {
    const wanted = strongest(challenges);
    if (wanted === 'nothing') return 'unsupported';
    if (wanted === 'basic' && sent?.startsWith('Basic ')) return 'refused';
    if (answered && (wanted === 'basic' || !wanted.stale)) return 'refused';
    this.#wanted = wanted;
    this.#count = 0;
    return 'answer';
  }
}

/** RFC 7617 clause 2, in UTF-8 (2.1). */
function basicAuthorization({ name, password }: Credentials): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

function strongest(challenges: readonly Challenge[]): Wanted {
  let best: Wanted = challenges.some(({ scheme }) => scheme === 'basic') ? 'basic' : 'nothing';
  for (const challenge of challenges) {
    const digest = digestChallenge(challenge);
    if (digest !== undefined && strength(digest) > strength(best)) best = digest;
  }
  return best;
}

function strength(wanted: Wanted): number {
  return typeof wanted === 'string' ? 0 : wanted.algorithm.strength;
}
