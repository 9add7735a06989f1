/** The client's half against what only a foreign or hostile server would send. */
import { Buffer } from 'node:buffer';
import test from 'ava';
import { FAULTS } from '../../../wire/faults.ts';
import type { Attribute } from '../../../wire/stun/attributes.ts';
import { ClientAuth } from '../../../wire/stun/client-auth.ts';
import { decode, encode, errorResponse, type StunParts } from '../../../wire/stun/message.ts';
import { nonceFeatures } from '../../../wire/stun/nonce.ts';
import type { LongTermPolicy } from '../../../wire/stun/server-auth.ts';
import { userTable } from '../../../wire/stun/users.ts';
import {
  ALICE,
  CLIENT,
  established,
  exchange,
  judge,
  LONG_TERM,
  longTermClient,
  newId,
  parts,
  REALM,
  SERVER,
  SHA256,
  SHORT_TERM,
  serve,
} from './auth.ts';
import { poisoned } from './vectors.ts';

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

test('[B5] a challenge too long to be sent back with every request is not learnt', (t) => {
  const challenged = (parameters: number) => {
    const client = longTermClient({ name: 'u'.repeat(508), password: 'secret' });
    const request = client.request(
      parts([{ type: 'unknown', number: 0xfeed, value: new Uint8Array(296) }]),
    );
    const octets = encode(
      errorResponse(request.parts, 401, [
        { type: 'REALM', value: 'r'.repeat(124) },
        { type: 'NONCE', value: 'n'.repeat(124) },
        {
          type: 'PASSWORD-ALGORITHMS',
          value: [SHA256, { algorithm: 0x7777, parameters: new Uint8Array(parameters) }],
        },
      ]),
    );
    const verdict = judge(client, request, octets);
    return { verdict, retry: () => client.retry(request, newId()) };
  };
  const most = challenged(332);
  t.is(most.verdict.type, 'retry');
  t.notThrows(most.retry);
  t.deepEqual(challenged(333).verdict, { type: 'broken', fault: FAULTS.STUN_LENGTH });
});

test('[B5] USERHASH goes out when the nonce asks for it, in either count of the bits (9.2.5)', (t) => {
  const names = (nonce: string, offered: boolean) => {
    const client = longTermClient();
    const request = client.request(parts());
    const octets = encode(
      errorResponse(request.parts, 401, [
        { type: 'REALM', value: REALM },
        { type: 'NONCE', value: nonce },
        ...(offered ? [{ type: 'PASSWORD-ALGORITHMS', value: [SHA256] } as const] : []),
      ]),
    );
    t.is(judge(client, request, octets).type, 'retry');
    const again = decode(...whole(client.retry(request, newId()).octets));
    if (typeof again === 'number') throw new Error(`fault ${again}`);
    return again.attributes.map((a) => a.type).filter((type) => type.startsWith('USER'));
  };
  t.deepEqual(names('obMatJos2QAAAx', false), ['USERHASH']);
  t.deepEqual(names('obMatJos2wAAAx', true), ['USERHASH']);
  t.deepEqual(names('obMatJos2AAACx', true), ['USERHASH'], 'as in the vector of RFC 8489 B.1');
  t.deepEqual(names('obMatJos2AAACx', false), ['USERNAME']);
  t.deepEqual(names('obMatJos2gAAAx', true), ['USERNAME']);
  t.deepEqual(names('QAAA', false), ['USERNAME']);
});

function whole(octets: Uint8Array): [Uint8Array, number, number] {
  return [octets, 0, octets.length];
}

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
