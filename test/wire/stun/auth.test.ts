/** Client and server halves against one another, and each against what only a foreign end would send. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { Endpoint } from '../../../wire/address.ts';
import { FAULTS } from '../../../wire/faults.ts';
import type { Attribute } from '../../../wire/stun/attributes.ts';
import { ClientAuth, type SignedRequest, type Verdict } from '../../../wire/stun/client-auth.ts';
import { type Credentials, timeLimitedPassword } from '../../../wire/stun/keys.ts';
import {
  decode,
  encode,
  errorResponse,
  find,
  type Protection,
  type StunMessage,
  type StunParts,
} from '../../../wire/stun/message.ts';
import { nonceFeatures } from '../../../wire/stun/nonce.ts';
import {
  type AuthPolicy,
  type AuthResult,
  authenticate,
  type LongTermPolicy,
} from '../../../wire/stun/server-auth.ts';
import { timeLimitedUsers, userTable } from '../../../wire/stun/users.ts';
import { poisoned } from './vectors.ts';

const REALM = 'example.org';
const NOW = 1_800_000_000_000;
const CLIENT: Endpoint = { family: 4, address: Uint8Array.of(192, 0, 2, 1), port: 50_000 };
const OTHER: Endpoint = { ...CLIENT, port: 50_001 };
const SERVER: Endpoint = { family: 4, address: Uint8Array.of(198, 51, 100, 1), port: 80 };
const ALICE: Credentials = { name: 'alice', password: 'secret' };
const MD5 = { algorithm: 1, parameters: new Uint8Array(0) };
const SHA256 = { algorithm: 2, parameters: new Uint8Array(0) };

const LONG_TERM: LongTermPolicy = {
  mechanism: 'long-term',
  realm: REALM,
  users: userTable([ALICE], REALM),
  nonceSecret: Buffer.alloc(32, 7),
  nonceLifetimeMs: 600_000,
  keyHashes: ['sha256', 'md5'],
  anonymity: true,
};
const RFC5389: LongTermPolicy = { ...LONG_TERM, keyHashes: [], anonymity: false };
const SHORT_TERM: AuthPolicy = { mechanism: 'short-term', users: userTable([ALICE], REALM) };

let ids = 0;
function parts(attributes: Attribute[] = [], name: StunParts['class'] = 'request'): StunParts {
  ids += 1;
  return {
    class: name,
    method: 1,
    transactionId: Uint8Array.from({ length: 12 }, (_, i) => ids >> (i * 8)),
    attributes,
  };
}

function newId(): Uint8Array {
  return parts().transactionId;
}

function read(octets: Uint8Array): { message: StunMessage; b: Uint8Array; at: number } {
  const { b, at, end } = poisoned(octets);
  const message = decode(b, at, end);
  if (typeof message === 'number') throw new Error(`fault ${message}`);
  return { message, b, at };
}

function serve(octets: Uint8Array, policy: AuthPolicy, from = CLIENT, now = NOW): AuthResult {
  const { message, b, at } = read(octets);
  return authenticate(message, b, at, policy, from, now);
}

/** What the server sends for a result. */
function answer(request: Uint8Array, result: AuthResult): Uint8Array {
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

function judge(client: ClientAuth, request: SignedRequest, octets: Uint8Array): Verdict {
  const { message, b, at } = read(octets);
  return client.digest(request, message, b, at);
}

function code(result: AuthResult): number | undefined {
  return result.ok || result.answer === undefined
    ? undefined
    : find(result.answer, 'ERROR-CODE')?.code;
}

/** Runs one request to its end; gives the last result, the verdict and the codes on the way. */
function exchange(t: ExecutionContext, client: ClientAuth, policy: AuthPolicy, now = NOW) {
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

function longTermClient(credentials: Credentials = ALICE, reliable = true): ClientAuth {
  return new ClientAuth({ mechanism: 'long-term', credentials, reliable });
}

/** A client that has been let in, with the request that it would send next. */
function established(t: ExecutionContext, policy: LongTermPolicy): ClientAuth {
  const client = longTermClient();
  t.is(exchange(t, client, policy).verdict.type, 'success');
  return client;
}

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

test('[B5] the challenge carries REALM, NONCE with gAAA or wAAA, PASSWORD-ALGORITHMS, no integrity', (t) => {
  const challenge = serve(encode(parts()), LONG_TERM);
  if (challenge.ok || challenge.answer === undefined) return t.fail();
  t.is(find(challenge.answer, 'REALM'), REALM);
  t.true(find(challenge.answer, 'NONCE')?.startsWith('obMatJos2wAAA'));
  t.deepEqual(find(challenge.answer, 'PASSWORD-ALGORITHMS'), [SHA256, MD5]);
  t.is(challenge.integrity, undefined);
  const named = serve(encode(parts()), { ...LONG_TERM, anonymity: false });
  if (named.ok || named.answer === undefined) return t.fail();
  t.true(find(named.answer, 'NONCE')?.startsWith('obMatJos2gAAA'));
  const old = serve(encode(parts()), RFC5389);
  if (old.ok || old.answer === undefined) return t.fail();
  t.true(find(old.answer, 'NONCE')?.startsWith('obMatJos2AAAA'));
  t.is(find(old.answer, 'PASSWORD-ALGORITHMS'), undefined);
});

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

test('[B5] a nonce is good for one client address and port only', (t) => {
  const client = established(t, LONG_TERM);
  const { octets } = client.request(parts());
  t.true(serve(octets, LONG_TERM).ok);
  t.is(code(serve(octets, LONG_TERM, OTHER)), 438);
  t.is(code(serve(octets, LONG_TERM, { ...CLIENT, address: Uint8Array.of(192, 0, 2, 2) })), 438);
});

test('[B5] nonces of another secret, from the future, or with changed features are stale', (t) => {
  const client = established(t, LONG_TERM);
  const { octets } = client.request(parts());
  t.is(code(serve(octets, { ...LONG_TERM, nonceSecret: Buffer.alloc(32, 8) })), 438);
  t.is(code(serve(octets, LONG_TERM, CLIENT, NOW - 1)), 438);
  const { message } = read(octets);
  const key = createHash('sha256').update('alice:example.org:secret').digest();
  const md5 = createHash('md5').update('alice:example.org:secret').digest();
  const resigned = (nonce: string, others: Attribute[], protection: Protection) => {
    const attributes: Attribute[] = [
      { type: 'USERNAME', value: 'alice' },
      { type: 'REALM', value: REALM },
      { type: 'NONCE', value: nonce },
      ...others,
    ];
    return serve(encode(parts(attributes), protection), LONG_TERM);
  };
  const nonce = find(message, 'NONCE') ?? '';
  const offered: Attribute[] = [
    { type: 'PASSWORD-ALGORITHMS', value: [SHA256, MD5] },
    { type: 'PASSWORD-ALGORITHM', value: SHA256 },
  ];
  const sha256: Protection = { integrity: { key, algorithms: ['sha256'] } };
  t.true(resigned(nonce, offered, sha256).ok);
  const weaker = nonce.replace('obMatJos2wAAA', 'obMatJos2AAAA');
  t.is(code(resigned(weaker, [], { integrity: { key: md5, algorithms: ['sha1'] } })), 438);
  for (const broken of [
    '',
    'obMatJos2wAAA',
    `${nonce}A`,
    nonce.slice(1),
    `\u00e9${nonce.slice(2)}`,
  ]) {
    const result = resigned(broken, [], { integrity: { key: md5, algorithms: ['sha1'] } });
    t.is(code(result), 438, broken);
  }
});

test('[B5] algorithms that are not what was offered with the nonce: 400 (RFC 8489 9.2.4)', (t) => {
  const client = established(t, LONG_TERM);
  const { message } = read(client.request(parts()).octets);
  const key = createHash('sha256').update('alice:example.org:secret').digest();
  const variant = (algorithms: Attribute[]) => {
    const kept = message.attributes.filter((a) => !a.type.startsWith('PASSWORD-'));
    const octets = encode(parts([...kept, ...algorithms]), {
      integrity: { key, algorithms: ['sha256'] },
    });
    return serve(octets, LONG_TERM);
  };
  const list = (...value: (typeof MD5)[]): Attribute => ({ type: 'PASSWORD-ALGORITHMS', value });
  const one = (value: typeof MD5): Attribute => ({ type: 'PASSWORD-ALGORITHM', value });
  t.true(variant([list(SHA256, MD5), one(SHA256)]).ok);
  t.is(code(variant([list(SHA256, MD5)])), 400);
  t.is(code(variant([one(SHA256)])), 400);
  t.is(code(variant([list(MD5), one(MD5)])), 400);
  t.is(code(variant([list(MD5, SHA256), one(SHA256)])), 400);
  t.is(code(variant([list(SHA256, MD5), one({ algorithm: 3, parameters: MD5.parameters })])), 400);
  t.is(
    code(variant([list(SHA256, MD5), one({ algorithm: 2, parameters: Uint8Array.of(1) })])),
    400,
  );
  t.is(code(variant([])), 401, 'without either it is MD5, and the key was not');
});

test('[B5] integrity without user, realm or nonce: 400 and nothing else in it', (t) => {
  const all: Attribute[] = [
    { type: 'USERNAME', value: 'alice' },
    { type: 'REALM', value: REALM },
    { type: 'NONCE', value: 'n' },
  ];
  for (const missing of all) {
    const octets = encode(parts(all.filter((a) => a !== missing)), {
      integrity: { key: Buffer.alloc(16), algorithms: ['sha1'] },
    });
    const result = serve(octets, LONG_TERM);
    t.is(code(result), 400, missing.type);
    t.is(result.ok ? 0 : result.answer?.attributes.length, 1);
  }
});

test('[B5] unknown required attributes: 420 after the authentication, protected', (t) => {
  const client = established(t, LONG_TERM);
  const odd: Attribute[] = [
    { type: 'unknown', number: 0x7777, value: Uint8Array.of(1, 2, 3) },
    { type: 'unknown', number: 0x7776, value: new Uint8Array(0) },
    { type: 'unknown', number: 0x7777, value: new Uint8Array(0) },
    { type: 'unknown', number: 0xc000, value: new Uint8Array(0) },
    { type: 'CHANGE-REQUEST', value: { ip: true, port: false } },
  ];
  const request = client.request(parts(odd));
  const result = serve(request.octets, LONG_TERM);
  if (result.ok || result.answer === undefined) return t.fail();
  t.is(result.fault, FAULTS.STUN_UNKNOWN_REQUIRED);
  t.deepEqual(find(result.answer, 'UNKNOWN-ATTRIBUTES'), [0x7777, 0x7776, 0x0003]);
  t.deepEqual(judge(client, request, answer(request.octets, result)), {
    type: 'failed',
    code: 420,
    reason: 'Unknown Attribute',
  });
  t.is(code(serve(encode(parts(odd)), LONG_TERM)), 401);
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

test('[B5] short-term: a response with the algorithm that was not asked for is discarded (9.1.4)', (t) => {
  const client = new ClientAuth({ mechanism: 'short-term', credentials: ALICE, reliable: true });
  exchange(t, client, SHORT_TERM);
  const request = client.request(parts());
  const octets = encode(
    { ...request.parts, class: 'success' },
    { integrity: { key: Buffer.from('secret'), algorithms: ['sha1'] } },
  );
  t.deepEqual(judge(client, request, octets), { type: 'discard', fault: FAULTS.STUN_INTEGRITY });
});

test('[M-10] indications: short-term ones are checked, long-term ones dropped, none is answered', (t) => {
  const attributes: Attribute[] = [{ type: 'USERNAME', value: 'alice' }];
  const signed = (password: string) =>
    encode(parts(attributes, 'indication'), {
      integrity: { key: Buffer.from(password), algorithms: ['sha256'] },
    });
  t.true(serve(signed('secret'), SHORT_TERM).ok);
  const bad = serve(signed('wrong'), SHORT_TERM);
  t.true(!bad.ok && bad.answer === undefined);
  const bare = serve(encode(parts([], 'indication')), LONG_TERM);
  t.true(!bare.ok && bare.answer === undefined);
});

test('[M-10] a response is never taken for a request', (t) => {
  for (const policy of [LONG_TERM, SHORT_TERM, { mechanism: 'none' } as const]) {
    for (const name of ['success', 'error'] as const) {
      const result = serve(encode(parts([], name)), policy);
      t.true(!result.ok && result.answer === undefined && result.fault === FAULTS.STUN_UNEXPECTED);
    }
  }
});

test('[M-10] without authentication everybody is let in, by the word `none` only', (t) => {
  const none: AuthPolicy = { mechanism: 'none' };
  t.deepEqual(serve(encode(parts()), none), { ok: true, user: undefined, integrity: undefined });
  const client = new ClientAuth({ mechanism: 'none', reliable: true });
  t.is(exchange(t, client, none).verdict.type, 'success');
});

test('[M-08] any octet of a request changed: not let in', (t) => {
  const client = established(t, LONG_TERM);
  const { octets, integrity } = client.request(parts());
  const unprinted = encode({ ...read(octets).message }, { integrity });
  for (let i = 0; i < unprinted.length; i++) {
    const changed = Uint8Array.from(unprinted);
    changed[i] = (changed[i] ?? 0) ^ 0x04;
    const { b, at, end } = poisoned(changed);
    const message = decode(b, at, end);
    if (typeof message === 'number') continue;
    t.false(authenticate(message, b, at, LONG_TERM, CLIENT, NOW).ok, `octet ${i}`);
  }
  t.pass();
});

test('[M-08] any octet of a response changed: not believed', (t) => {
  const client = established(t, LONG_TERM);
  const request = client.request(parts());
  const result = serve(request.octets, LONG_TERM);
  if (!result.ok) return t.fail();
  const success = encode(
    {
      ...request.parts,
      class: 'success',
      attributes: [{ type: 'XOR-MAPPED-ADDRESS', value: CLIENT }],
    },
    { integrity: result.integrity },
  );
  t.is(judge(client, request, success).type, 'success');
  for (let i = 0; i < success.length; i++) {
    const changed = Uint8Array.from(success);
    changed[i] = (changed[i] ?? 0) ^ 0x04;
    const { b, at, end } = poisoned(changed);
    const message = decode(b, at, end);
    if (typeof message !== 'number') t.not(client.digest(request, message, b, at).type, 'success');
  }
  t.pass();
});

test('[B5] a response without or with wrong integrity: ends a TCP transaction, is skipped on UDP', (t) => {
  for (const reliable of [true, false]) {
    const client = longTermClient(ALICE, reliable);
    exchange(t, client, LONG_TERM);
    const request = client.request(parts());
    const bare: StunParts = { ...request.parts, class: 'success' };
    const wrong = { integrity: { key: Buffer.alloc(32), algorithms: ['sha256'] as const } };
    for (const octets of [encode(bare), encode(bare, wrong)]) {
      const verdict = judge(client, request, octets);
      t.is(verdict.type, reliable ? 'broken' : 'discard');
    }
    const bare400 = encode(errorResponse(request.parts, 400));
    t.is(judge(client, request, bare400).type, 'discard', '9.2.5: even on TCP');
    const bare500 = judge(client, request, encode(errorResponse(request.parts, 500)));
    t.is(bare500.type, reliable ? 'broken' : 'discard');
  }
});

test('[B5] bid-down: features announced by the nonce but not there (9.2.1)', (t) => {
  const client = longTermClient();
  const request = client.request(parts());
  const stripped = (nonce: string, code: 401 | 438 | 403 = 401) =>
    judge(
      client,
      request,
      encode(
        errorResponse(request.parts, code, [
          { type: 'REALM', value: REALM },
          { type: 'NONCE', value: nonce },
        ]),
      ),
    );
  t.deepEqual(stripped('obMatJos2gAAAx'), { type: 'broken', fault: FAULTS.STUN_BID_DOWN });
  t.deepEqual(stripped('obMatJos2wAAAx', 438), { type: 'broken', fault: FAULTS.STUN_BID_DOWN });
  t.deepEqual(stripped('obMatJos2gAAAx', 403), { type: 'discard', fault: FAULTS.STUN_BID_DOWN });
  t.is(stripped('obMatJos2QAAAx').type, 'retry', 'anonymity alone needs no attribute');
  t.is(stripped('obMatJos2AAABx').type, 'retry', 'the other count is not believed without it');
});

test('[B5] bid-down: a server that offered algorithms cannot be made one that offers none', (t) => {
  const client = established(t, LONG_TERM);
  const request = client.request(parts());
  const octets = encode(
    errorResponse(request.parts, 438, [
      { type: 'REALM', value: REALM },
      { type: 'NONCE', value: 'obMatJos2AAAAx' },
    ]),
  );
  t.deepEqual(judge(client, request, octets), { type: 'broken', fault: FAULTS.STUN_BID_DOWN });
});

test('[B5] both counts of the feature bits are read, the second only with PASSWORD-ALGORITHMS', (t) => {
  const on = { passwordAlgorithms: true, anonymity: false };
  const off = { passwordAlgorithms: false, anonymity: false };
  t.deepEqual(nonceFeatures('obMatJos2gAAA', false), on);
  t.deepEqual(nonceFeatures('obMatJos2gAAA', true), on);
  t.deepEqual(nonceFeatures('obMatJos2AAABrest', false), off);
  t.deepEqual(nonceFeatures('obMatJos2AAABrest', true), on);
  t.deepEqual(nonceFeatures('obMatJos2AAAC', true), { passwordAlgorithms: false, anonymity: true });
  t.deepEqual(nonceFeatures('obMatJos2AAAC', false), off);
  t.is(nonceFeatures('obMatJos', true), undefined);
  t.is(nonceFeatures('obMatJos2AA', true), undefined);
  t.is(nonceFeatures('obMatJos2A-AA', true), undefined);
});

test('[B5] 401 with algorithms of which we know none: no retry', (t) => {
  const client = longTermClient();
  const request = client.request(parts());
  const octets = encode(
    errorResponse(request.parts, 401, [
      { type: 'REALM', value: REALM },
      { type: 'NONCE', value: 'obMatJos2gAAAx' },
      { type: 'PASSWORD-ALGORITHMS', value: [{ algorithm: 77, parameters: Uint8Array.of(1) }] },
    ]),
  );
  t.is(judge(client, request, octets).type, 'failed');
});

test('[B5] 401 or 438 without REALM or NONCE, or 438 to a bare request: no retry', (t) => {
  const realm: Attribute = { type: 'REALM', value: REALM };
  const nonce: Attribute = { type: 'NONCE', value: 'x' };
  for (const [code, attributes] of [
    [401, [realm]],
    [401, [nonce]],
    [401, []],
    [438, [realm, nonce]],
  ] as const) {
    const client = longTermClient();
    const request = client.request(parts());
    t.is(
      judge(client, request, encode(errorResponse(request.parts, code, attributes))).type,
      'failed',
    );
  }
});

test('[B5] a server that changes its realm is followed once, not for ever', (t) => {
  const client = established(t, LONG_TERM);
  const moved: LongTermPolicy = {
    ...LONG_TERM,
    realm: 'example.net',
    users: userTable([ALICE], 'example.net'),
  };
  const { codes, verdict } = exchange(t, client, moved);
  t.deepEqual(codes, [401, undefined]);
  t.is(verdict.type, 'success');
  let request = client.request(parts());
  for (let i = 0; ; i++) {
    t.true(i < 3);
    const attributes: Attribute[] = [
      { type: 'REALM', value: `realm-${i}` },
      { type: 'NONCE', value: 'obMatJos2gAAAx' },
      { type: 'PASSWORD-ALGORITHMS', value: [SHA256] },
    ];
    const octets = encode(errorResponse(request.parts, 401, attributes));
    if (judge(client, request, octets).type !== 'retry') break;
    request = client.retry(request, newId());
  }
  t.pass();
});

test('[B5] 300 leads elsewhere only when its integrity is right (14.8, 10)', (t) => {
  const client = established(t, LONG_TERM);
  const request = client.request(parts());
  const redirect = errorResponse(request.parts, 300, [
    { type: 'ALTERNATE-SERVER', value: SERVER },
    { type: 'ALTERNATE-DOMAIN', value: 'tep.example.org' },
  ]);
  const trusted = encode(redirect, { integrity: request.integrity });
  t.deepEqual(judge(client, request, trusted), {
    type: 'redirect',
    server: SERVER,
    domain: 'tep.example.org',
  });
  t.is(judge(client, request, encode(redirect)).type, 'broken');
  const open = new ClientAuth({ mechanism: 'none', reliable: true });
  const bare = open.request(parts());
  t.deepEqual(judge(open, bare, encode({ ...redirect })), {
    type: 'failed',
    code: 300,
    reason: 'Try Alternate',
  });
});

test('[B5] responses that cannot be used: unknown required attribute, error without code, no response', (t) => {
  const client = new ClientAuth({ mechanism: 'none', reliable: true });
  const request = client.request(parts());
  const odd: Attribute = { type: 'unknown', number: 0x7777, value: new Uint8Array(0) };
  const end = (response: StunParts) => judge(client, request, encode(response));
  t.deepEqual(end({ ...request.parts, class: 'success', attributes: [odd] }), {
    type: 'broken',
    fault: FAULTS.STUN_UNKNOWN_REQUIRED,
  });
  t.deepEqual(end({ ...request.parts, class: 'error' }), {
    type: 'broken',
    fault: FAULTS.STUN_ATTRIBUTE,
  });
  t.deepEqual(end(request.parts), { type: 'discard', fault: FAULTS.STUN_UNEXPECTED });
  t.is(end(errorResponse(request.parts, 486)).type, 'failed');
});

test('our own mistakes: credentials that are missing or cannot be prepared', (t) => {
  t.throws(() => new ClientAuth({ mechanism: 'long-term', reliable: true }), {
    instanceOf: RangeError,
  });
  t.throws(() => longTermClient({ name: 'a\u0007', password: 'x' }), { instanceOf: RangeError });
  const keyOnly = new ClientAuth({
    mechanism: 'short-term',
    credentials: { name: 'a', md5: Buffer.alloc(16) },
    reliable: true,
  });
  t.throws(() => keyOnly.request(parts()), { instanceOf: RangeError });
});
