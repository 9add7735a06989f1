/** Authentication: a Binding request with long-term credentials, as a tunnel is opened with. */

import { ClientAuth } from '../wire/stun/client-auth.ts';
import { decode, encode, type StunParts } from '../wire/stun/message.ts';
import { METHODS } from '../wire/stun/registry.ts';
import { type AuthPolicy, authenticate } from '../wire/stun/server-auth.ts';
import { userTable } from '../wire/stun/users.ts';
import { bench, random } from './harness.ts';
import { CLIENT } from './traffic.ts';

const NOW = 1_800_000_000_000;
const REALM = 'tep.example';
const credentials = { name: 'alice', password: 'a password of some length' };
const next = random(0x57);
const transactionId = () => Uint8Array.from({ length: 12 }, () => next(256));

function policyOf(keyHashes: readonly ('md5' | 'sha256')[]): AuthPolicy {
  return {
    mechanism: 'long-term',
    realm: REALM,
    users: userTable([credentials], REALM),
    nonceSecret: Uint8Array.from({ length: 32 }, () => next(256)),
    nonceLifetimeMs: 600_000,
    keyHashes,
    anonymity: false,
  };
}

/** The request that a client sends after the server's challenge. */
function signedRequest(policy: AuthPolicy): Uint8Array {
  const client = new ClientAuth({ mechanism: 'long-term', credentials, reliable: true });
  const parts: StunParts = {
    class: 'request',
    method: METHODS.BINDING,
    transactionId: transactionId(),
    attributes: [{ type: 'TEP-TUNNEL', value: new Uint8Array(0) }],
  };
  const bare = client.request(parts);
  const challenge = judge(bare.octets, policy);
  if (challenge.ok || challenge.answer === undefined) throw new Error('no challenge');
  const octets = encode(challenge.answer);
  const response = decode(octets, 0, octets.length);
  if (typeof response === 'number') throw new Error(`challenge: fault ${response}`);
  client.digest(bare, response, octets, 0);
  return client.retry(bare, transactionId()).octets;
}

function judge(octets: Uint8Array, policy: AuthPolicy) {
  const message = decode(octets, 0, octets.length);
  if (typeof message === 'number') throw new Error(`request: fault ${message}`);
  return authenticate(message, octets, 0, policy, CLIENT, NOW);
}

for (const keyHashes of [[], ['sha256']] as const) {
  const policy = policyOf(keyHashes);
  const request = signedRequest(policy);
  if (!judge(request, policy).ok) throw new Error('the request is not accepted');
  bench({
    name: `stun: decode and authenticate a request, key by ${keyHashes[0] ?? 'md5'}`,
    aim: { maxNsPerOp: 30_000 },
    run(times) {
      for (let i = 0; i < times; i++) judge(request, policy);
    },
  });
}
