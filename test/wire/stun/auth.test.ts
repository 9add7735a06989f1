/** Client and server halves against one another. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import test from 'ava';
import { FAULTS } from '../../../wire/faults.ts';
import { ClientAuth } from '../../../wire/stun/client-auth.ts';
import { type Credentials, timeLimitedPassword } from '../../../wire/stun/keys.ts';
import { encode, find } from '../../../wire/stun/message.ts';
import type { AuthPolicy, AuthResult, LongTermPolicy } from '../../../wire/stun/server-auth.ts';
import { timeLimitedUsers, userTable } from '../../../wire/stun/users.ts';
import {
  ALICE,
  answer,
  code,
  established,
  exchange,
  LONG_TERM,
  longTermClient,
  MD5,
  NOW,
  parts,
  REALM,
  RFC5389,
  read,
  SHA256,
  SHORT_TERM,
  serve,
} from './auth.ts';

for (const [name, policy] of Object.entries({ 'RFC 8489': LONG_TERM, 'RFC 5389': RFC5389 })) {
  test(`[M-08] long-term, server of ${name}: 401, then success`, (t) => {
    const { result, verdict, codes } = exchange(t, longTermClient(), policy);
    t.deepEqual(codes, [401, undefined]);
    t.is(verdict.type, 'success');
    t.true(result.ok && result.user === 'alice');
  });

  test(`[M-08] long-term, server of ${name}: wrong password and unknown user look the same`, (t) => {
    const wrong = exchange(t, longTermClient({ name: 'alice', password: 'wrong' }), policy);
    const unknown = exchange(t, longTermClient({ name: 'mallory', password: 'secret' }), policy);
    for (const { codes, verdict } of [wrong, unknown]) {
      t.deepEqual(codes, [401, 401]);
      t.deepEqual(verdict, { type: 'failed', code: 401, reason: 'Unauthenticated' });
    }
    t.deepEqual(wrong.result, unknown.result.ok ? undefined : withAnswerTo(wrong, unknown));
  });
}

/** The second refusal as if it had been given to the first request: ids differ, nothing else may. */
function withAnswerTo(first: { result: AuthResult }, second: { result: AuthResult }): AuthResult {
  if (first.result.ok || second.result.ok) throw new Error('both were to be refused');
  if (!first.result.answer || !second.result.answer) throw new Error('both were to be answered');
  const { transactionId } = first.result.answer;
  return { ...second.result, answer: { ...second.result.answer, transactionId } };
}

test('[B5] the answer of the client: USERHASH, algorithms as offered, MESSAGE-INTEGRITY-SHA256 only', (t) => {
  const { request } = exchange(t, longTermClient(), LONG_TERM);
  const { message } = read(request.octets);
  t.is(find(message, 'USERNAME'), undefined);
  t.deepEqual(
    Buffer.from(find(message, 'USERHASH') ?? []),
    createHash('sha256').update('alice:example.org').digest(),
  );
  t.deepEqual(find(message, 'PASSWORD-ALGORITHMS'), [SHA256, MD5]);
  t.deepEqual(find(message, 'PASSWORD-ALGORITHM'), SHA256);
  t.is(message.integrityAt, 0);
  t.not(message.integritySha256At, 0);
});

test('[B5] to a server of RFC 5389: USERNAME, no algorithms, MESSAGE-INTEGRITY only, also in the response', (t) => {
  const { request, result } = exchange(t, longTermClient(), RFC5389);
  const { message } = read(request.octets);
  t.is(find(message, 'USERNAME'), 'alice');
  t.is(find(message, 'PASSWORD-ALGORITHM'), undefined);
  t.is(message.integritySha256At, 0);
  t.true(result.ok && result.integrity?.algorithms.join() === 'sha1');
});

test('[B5] users stored as H(A1) or as its SHA-256 like are let in by what they have', (t) => {
  const md5 = createHash('md5').update('alice:example.org:secret').digest();
  const sha256 = createHash('sha256').update('alice:example.org:secret').digest();
  const only = (entry: Credentials, keyHashes: LongTermPolicy['keyHashes']): LongTermPolicy => ({
    ...LONG_TERM,
    keyHashes,
    users: userTable([entry], REALM),
  });
  const ha1 = { name: 'alice', md5 };
  const end = (policy: LongTermPolicy, credentials = ALICE) =>
    exchange(t, longTermClient(credentials), policy).verdict.type;
  t.is(end(only(ha1, [])), 'success');
  t.is(end(only(ha1, ['md5'])), 'success');
  t.is(end(only({ name: 'alice', sha256 }, ['sha256'])), 'success');
  t.is(end(only(ha1, ['sha256'])), 'failed');
  t.is(end(LONG_TERM, ha1), 'success', 'the client may hold H(A1) alone too');
});

test('[M-08] time-limited users of a shared secret, during its replacement, until they expire', (t) => {
  const users = timeLimitedUsers(['new secret', 'old secret']);
  const policy: LongTermPolicy = { ...LONG_TERM, users, anonymity: false };
  const name = `${NOW / 1000 + 60}:alice`;
  const end = (secret: string, now = NOW) => {
    const credentials = { name, password: timeLimitedPassword(secret, name) };
    return exchange(t, longTermClient(credentials), policy, now).verdict.type;
  };
  t.is(end('new secret'), 'success');
  t.is(end('old secret'), 'success');
  t.is(end('other secret'), 'failed');
  t.is(end('new secret', NOW + 59_999), 'success');
  t.is(end('new secret', NOW + 60_000), 'failed');
  for (const bad of ['alice', ':alice', '1800000060:', '18e8:alice', `${'9'.repeat(13)}:alice`]) {
    t.deepEqual(users.byName(bad, NOW), [], bad);
  }
});

test('[M-10] what stands in for an unknown user, or for a missing key, lets nobody in', (t) => {
  const nobody = { name: 'nobody', password: 'no password' };
  t.is(exchange(t, longTermClient(nobody), LONG_TERM).verdict.type, 'failed');
  const short = new ClientAuth({ mechanism: 'short-term', credentials: nobody, reliable: true });
  t.is(exchange(t, short, SHORT_TERM).verdict.type, 'broken');
  const users = userTable([{ name: 'alice', md5: Buffer.alloc(16, 1) }], REALM);
  const zeros = { name: 'alice', sha256: Buffer.alloc(16) };
  const policy: LongTermPolicy = { ...LONG_TERM, users, keyHashes: ['sha256'] };
  t.is(exchange(t, longTermClient(zeros), policy).verdict.type, 'failed');
});

test('[B5] a stale nonce gives 438 with a new one; the client goes on with it, once', (t) => {
  const client = established(t, LONG_TERM);
  const later = NOW + LONG_TERM.nonceLifetimeMs;
  const { codes, verdict } = exchange(t, client, LONG_TERM, later);
  t.deepEqual(codes, [438, undefined]);
  t.is(verdict.type, 'success');
  const never: LongTermPolicy = { ...LONG_TERM, nonceLifetimeMs: 0 };
  const end = exchange(t, client, never);
  t.deepEqual(end.codes, [438, 438]);
  t.deepEqual(end.verdict, { type: 'failed', code: 438, reason: 'Stale Nonce' });
});

test('[M-08] short-term: both integrities first, then the one that the server chose', (t) => {
  const client = new ClientAuth({ mechanism: 'short-term', credentials: ALICE, reliable: true });
  const { verdict, codes, request, result } = exchange(t, client, SHORT_TERM);
  t.deepEqual(codes, [undefined]);
  t.is(verdict.type, 'success');
  t.true(result.ok && result.user === 'alice');
  t.deepEqual(request.integrity?.algorithms, ['sha1', 'sha256']);
  const next = client.request(parts());
  t.deepEqual(next.integrity?.algorithms, ['sha256']);
  const { message } = read(answer(request.octets, result));
  t.is(find(message, 'USERNAME'), undefined);
  t.is(message.integrityAt, 0);
});

test('[M-08] short-term: bad password 401, unknown user 401, missing parts 400 (9.1.3)', (t) => {
  const end = (credentials: Credentials) => {
    const client = new ClientAuth({ mechanism: 'short-term', credentials, reliable: true });
    const { codes, verdict } = exchange(t, client, SHORT_TERM);
    t.deepEqual(verdict, { type: 'broken', fault: FAULTS.STUN_INTEGRITY, code: 401 });
    return codes;
  };
  t.deepEqual(end({ name: 'alice', password: 'wrong' }), [401]);
  t.deepEqual(end({ name: 'mallory', password: 'secret' }), [401]);
  const key = Buffer.from('secret');
  t.is(code(serve(encode(parts()), SHORT_TERM)), 400);
  t.is(code(serve(encode(parts([{ type: 'USERNAME', value: 'alice' }])), SHORT_TERM)), 400);
  t.is(code(serve(encode(parts(), { integrity: { key, algorithms: ['sha1'] } }), SHORT_TERM)), 400);
});

test('[M-10] without authentication everybody is let in, by the word `none` only', (t) => {
  const none: AuthPolicy = { mechanism: 'none' };
  t.deepEqual(serve(encode(parts()), none), { ok: true, user: undefined, integrity: undefined });
  const client = new ClientAuth({ mechanism: 'none', reliable: true });
  t.is(exchange(t, client, none).verdict.type, 'success');
});
