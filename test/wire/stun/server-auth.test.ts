/** The server's half against what only a foreign or hostile client would send. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import test from 'ava';
import { FAULTS } from '../../../wire/faults.ts';
import type { Attribute } from '../../../wire/stun/attributes.ts';
import { decode, encode, find, type Protection } from '../../../wire/stun/message.ts';
import { authenticate, type LongTermPolicy } from '../../../wire/stun/server-auth.ts';
import { userTable } from '../../../wire/stun/users.ts';
import {
  answer,
  CLIENT,
  code,
  established,
  exchange,
  judge,
  LONG_TERM,
  MD5,
  NOW,
  OTHER,
  parts,
  REALM,
  RFC5389,
  read,
  SHA256,
  SHORT_TERM,
  serve,
} from './auth.ts';
import { poisoned } from './vectors.ts';

const MD5_OF_ALICE = createHash('md5').update('alice:example.org:secret').digest();

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

test('[B5] an indication with unknown required attributes is dropped, not answered (6.3.2)', (t) => {
  const attributes: Attribute[] = [
    { type: 'USERNAME', value: 'alice' },
    { type: 'unknown', number: 0x7777, value: new Uint8Array(0) },
  ];
  const octets = encode(parts(attributes, 'indication'), {
    integrity: { key: Buffer.from('secret'), algorithms: ['sha256'] },
  });
  for (const policy of [SHORT_TERM, { mechanism: 'none' } as const]) {
    const result = serve(octets, policy);
    if (result.ok) return t.fail();
    t.is(result.fault, FAULTS.STUN_UNKNOWN_REQUIRED);
    t.is(result.answer, undefined);
  }
});

test('[M-10] a response is never taken for a request', (t) => {
  for (const policy of [LONG_TERM, SHORT_TERM, { mechanism: 'none' } as const]) {
    for (const name of ['success', 'error'] as const) {
      const result = serve(encode(parts([], name)), policy);
      t.true(!result.ok && result.answer === undefined && result.fault === FAULTS.STUN_UNEXPECTED);
    }
  }
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

test('[M-08] after the offer has changed a client that was let in before gets through again', (t) => {
  const client = established(t, LONG_TERM);
  const md5Only: LongTermPolicy = {
    ...LONG_TERM,
    users: userTable([{ name: 'alice', md5: MD5_OF_ALICE }], REALM),
    nonceSecret: Buffer.alloc(32, 9),
    keyHashes: ['md5'],
  };
  const { verdict, codes } = exchange(t, client, md5Only);
  t.deepEqual(codes, [438, undefined]);
  t.is(verdict.type, 'success');
});
