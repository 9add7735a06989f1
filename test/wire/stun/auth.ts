/** What the tests of both halves of the authentication share: parties, credentials, one exchange. */
import { Buffer } from 'node:buffer';
import type { ExecutionContext } from 'ava';
import type { Endpoint } from '../../../wire/address.ts';
import type { Attribute } from '../../../wire/stun/attributes.ts';
import { ClientAuth, type SignedRequest, type Verdict } from '../../../wire/stun/client-auth.ts';
import type { Credentials } from '../../../wire/stun/keys.ts';
import {
  decode,
  encode,
  find,
  type StunMessage,
  type StunParts,
} from '../../../wire/stun/message.ts';
import {
  type AuthPolicy,
  type AuthResult,
  authenticate,
  type LongTermPolicy,
} from '../../../wire/stun/server-auth.ts';
import { userTable } from '../../../wire/stun/users.ts';
import { poisoned } from './vectors.ts';

export const REALM = 'example.org';
export const NOW = 1_800_000_000_000;
export const CLIENT: Endpoint = { family: 4, address: Uint8Array.of(192, 0, 2, 1), port: 50_000 };
export const OTHER: Endpoint = { ...CLIENT, port: 50_001 };
export const SERVER: Endpoint = { family: 4, address: Uint8Array.of(198, 51, 100, 1), port: 80 };
export const ALICE: Credentials = { name: 'alice', password: 'secret' };
export const MD5 = { algorithm: 1, parameters: new Uint8Array(0) };
export const SHA256 = { algorithm: 2, parameters: new Uint8Array(0) };

export const LONG_TERM: LongTermPolicy = {
  mechanism: 'long-term',
  realm: REALM,
  users: userTable([ALICE], REALM),
  nonceSecret: Buffer.alloc(32, 7),
  nonceLifetimeMs: 600_000,
  keyHashes: ['sha256', 'md5'],
  anonymity: true,
};
export const RFC5389: LongTermPolicy = { ...LONG_TERM, keyHashes: [], anonymity: false };
export const SHORT_TERM: AuthPolicy = { mechanism: 'short-term', users: userTable([ALICE], REALM) };

let ids = 0;
export function parts(
  attributes: Attribute[] = [],
  name: StunParts['class'] = 'request',
): StunParts {
  ids += 1;
  return {
    class: name,
    method: 1,
    transactionId: Uint8Array.from({ length: 12 }, (_, i) => ids >> (i * 8)),
    attributes,
  };
}

export function newId(): Uint8Array {
  return parts().transactionId;
}

export function read(octets: Uint8Array): { message: StunMessage; b: Uint8Array; at: number } {
  const { b, at, end } = poisoned(octets);
  const message = decode(b, at, end);
  if (typeof message === 'number') throw new Error(`fault ${message}`);
  return { message, b, at };
}

export function serve(
  octets: Uint8Array,
  policy: AuthPolicy,
  from = CLIENT,
  now = NOW,
): AuthResult {
  const { message, b, at } = read(octets);
  return authenticate(message, b, at, policy, from, now);
}

/** What the server sends for a result. */
export function answer(request: Uint8Array, result: AuthResult): Uint8Array {
  if (!result.ok) {
    if (result.answer === undefined) throw new Error('nothing to answer');
    return encode(result.answer, { integrity: result.integrity, fingerprint: true });
  }
  const { message } = read(request);
  return encode(
    { ...message, class: 'success', attributes: [{ type: 'XOR-MAPPED-ADDRESS', value: CLIENT }] },
    { integrity: result.integrity, fingerprint: true },
  );
}

export function judge(client: ClientAuth, request: SignedRequest, octets: Uint8Array): Verdict {
  const { message, b, at } = read(octets);
  return client.digest(request, message, b, at);
}

export function code(result: AuthResult): number | undefined {
  return result.ok || result.answer === undefined
    ? undefined
    : find(result.answer, 'ERROR-CODE')?.code;
}

/** Runs one request to its end; gives the last result, the verdict and the codes on the way. */
export function exchange(t: ExecutionContext, client: ClientAuth, policy: AuthPolicy, now = NOW) {
  let request = client.request(parts());
  const codes: (number | undefined)[] = [];
  for (;;) {
    const result = serve(request.octets, policy, CLIENT, now);
    const verdict = judge(client, request, answer(request.octets, result));
    codes.push(code(result));
    if (verdict.type !== 'retry') return { result, verdict, codes, request };
    t.true(codes.length < 5, 'a client must come to an end');
    request = client.retry(request, newId());
  }
}

export function longTermClient(credentials: Credentials = ALICE, reliable = true): ClientAuth {
  return new ClientAuth({ mechanism: 'long-term', credentials, reliable });
}

/** A client that has been let in, with the request that it would send next. */
export function established(t: ExecutionContext, policy: LongTermPolicy): ClientAuth {
  const client = longTermClient();
  t.is(exchange(t, client, policy).verdict.type, 'success');
  return client;
}
