import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import test from 'ava';
import type { KnownAttribute } from '../../../wire/stun/attributes.ts';
import { integrityRight } from '../../../wire/stun/integrity.ts';
import { decode, encode, find, type StunMessage } from '../../../wire/stun/message.ts';
import * as vectors from './vectors.ts';

const SHORT_TERM: Record<string, Uint8Array> = {
  'RFC 5769 2.1': vectors.REQUEST,
  'RFC 5769 2.2': vectors.RESPONSE_IPV4,
  'RFC 5769 2.3': vectors.RESPONSE_IPV6,
};

function message(octets: Uint8Array): StunMessage {
  const { b, at, end } = vectors.poisoned(octets);
  const result = decode(b, at, end);
  if (typeof result === 'number') throw new Error(`fault ${result}`);
  return result;
}

for (const [name, octets] of Object.entries(SHORT_TERM)) {
  test(`[M-08] ${name}: decoded, integrity and fingerprint right`, (t) => {
    const { b, at } = vectors.poisoned(octets);
    const m = message(octets);
    t.deepEqual(m.transactionId, vectors.TRANSACTION_ID);
    t.true(integrityRight(b, at, m, 'sha1', vectors.SHORT_TERM_KEY));
    t.false(integrityRight(b, at, m, 'sha1', Buffer.from('wrong')));
    t.is(m.fingerprintAt, octets.length - 8);
    t.deepEqual(m.unknownRequired, []);
  });
}

test('[B5] RFC 5769 2.1 attributes', (t) => {
  const m = message(vectors.REQUEST);
  t.is(m.class, 'request');
  t.is(m.method, 1);
  t.deepEqual(m.attributes, [
    { type: 'SOFTWARE', value: 'STUN test client' },
    { type: 'PRIORITY', value: 0x6e0001ff },
    { type: 'ICE-CONTROLLED', value: 0x932ff9b151263b36n },
    { type: 'USERNAME', value: 'evtj:h6vY' },
  ]);
});

test('[M-05] RFC 5769 2.2 and 2.3 carry 192.0.2.1:32853 and its IPv6 like', (t) => {
  t.deepEqual(find(message(vectors.RESPONSE_IPV4), 'XOR-MAPPED-ADDRESS'), {
    family: 4,
    address: Uint8Array.of(192, 0, 2, 1),
    port: 32853,
  });
  t.deepEqual(find(message(vectors.RESPONSE_IPV6), 'XOR-MAPPED-ADDRESS'), {
    family: 6,
    address: vectors.hex('20010db8123456780011223344556677'),
    port: 32853,
  });
});

test('[M-08] RFC 5769 2.4 and RFC 8489 B.1 encode to the printed octets', (t) => {
  const md5 = createHash('md5')
    .update(`${vectors.USERNAME}:${vectors.REALM}:${vectors.PREPARED_PASSWORD}`)
    .digest();
  const attributes: KnownAttribute[] = [
    { type: 'USERNAME', value: vectors.USERNAME },
    { type: 'NONCE', value: 'f//499k954d6OL34oL9FSTvy64sA' },
    { type: 'REALM', value: vectors.REALM },
  ];
  const octets = encode(
    {
      class: 'request',
      method: 1,
      transactionId: vectors.LONG_TERM_TRANSACTION_ID,
      attributes,
    },
    { integrity: { key: md5, algorithms: ['sha1'] } },
  );
  t.deepEqual(octets, vectors.LONG_TERM);
});
