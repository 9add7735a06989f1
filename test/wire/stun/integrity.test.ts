import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import test from 'ava';
import { FAULTS } from '../../../wire/faults.ts';
import { fingerprint } from '../../../wire/stun/fingerprint.ts';
import { type IntegrityAlgorithm, integrityRight } from '../../../wire/stun/integrity.ts';
import { longTermKey, prepareCredentials } from '../../../wire/stun/keys.ts';
import { encode, type Protection, type StunParts } from '../../../wire/stun/message.ts';
import { fault, raw, read } from './messages.ts';
import * as vectors from './vectors.ts';
import { poisoned } from './vectors.ts';

const LONG_TERM_USER = prepareCredentials({ name: vectors.USERNAME, password: vectors.PASSWORD });
const KEYS: Readonly<Record<string, [IntegrityAlgorithm, Uint8Array]>> = {
  'RFC 5769 2.1': ['sha1', vectors.SHORT_TERM_KEY],
  'RFC 5769 2.2': ['sha1', vectors.SHORT_TERM_KEY],
  'RFC 5769 2.3': ['sha1', vectors.SHORT_TERM_KEY],
  'RFC 5769 2.4': ['sha1', longTermKey(LONG_TERM_USER, vectors.REALM, 'md5') ?? new Uint8Array()],
  'RFC 8489 B.1': [
    'sha256',
    longTermKey(LONG_TERM_USER, vectors.REALM, 'sha256') ?? new Uint8Array(),
  ],
};

/** How the padding of a vector would look if its author had sent zeros. */
function zeroPadded(octets: Uint8Array): Uint8Array {
  const out = Uint8Array.from(octets);
  const view = new DataView(out.buffer);
  for (let at = 20; at < out.length; ) {
    const length = view.getUint16(at + 2);
    const next = at + 4 + ((length + 3) & ~3);
    out.fill(0, at + 4 + length, next);
    at = next;
  }
  return out;
}

for (const [name, [algorithm, key]] of Object.entries(KEYS)) {
  const octets = vectors.ALL[name] ?? new Uint8Array();

  test(`[M-08] ${name}: integrity verifies over the octets as received, and not with another key`, (t) => {
    const { b, at } = poisoned(octets);
    const before = Uint8Array.from(b);
    const message = read(octets);
    t.true(integrityRight(b, at, message, algorithm, key));
    t.false(integrityRight(b, at, message, algorithm, Buffer.from('another')));
    t.false(integrityRight(b, at, message, algorithm === 'sha1' ? 'sha256' : 'sha1', key));
    t.deepEqual(b, before, 'the octets of the caller stay as they are');
  });

  test(`[M-08] ${name}: encoded again it is the vector, but for the filler of its author`, (t) => {
    const message = read(octets);
    const protection = {
      integrity: { key, algorithms: [algorithm] },
      fingerprint: message.fingerprintAt !== 0,
    };
    const again = encode(message, protection);
    const exact = zeroPadded(octets);
    if (Buffer.compare(exact, octets) === 0) {
      t.deepEqual(again, octets);
    } else {
      const end = message.integrityAt + 4;
      t.deepEqual(again.subarray(0, end), exact.subarray(0, end));
      t.is(again.length, octets.length);
      t.true(integrityRight(again, 0, read(again), algorithm, key));
    }
  });
}

test('[B5] what follows the integrity is ignored, but SHA-256 and FINGERPRINT (RFC 8489 9)', (t) => {
  const sha1 = `00080014${'00'.repeat(20)}`;
  const sha256 = `001c0020${'00'.repeat(32)}`;
  const late = '00060001610000007777000000060400';
  for (const first of [sha1, sha256]) {
    const message = read(raw(`${first}0006000162000000${'77770000'}`));
    t.deepEqual(message.attributes, []);
    t.deepEqual(message.unknownRequired, []);
  }
  const both = read(raw(`${sha1}0006000162000000${sha256}0006000163000000`));
  t.is(both.integrityAt, 20);
  t.is(both.integritySha256At, 20 + 24 + 8);
  t.is(read(raw(sha256 + sha1)).integrityAt, 0, 'the wrong way round: the second is not looked at');
  t.is(read(raw(sha1 + sha1)).integrityAt, 20);
  t.is(fault(raw(sha1 + late)), FAULTS.STUN_ATTRIBUTE, 'the lengths must be right all the same');
});

test('[B5] integrity of a wrong length is a fault; 16 to 32 in steps of 4 for SHA-256 (14.6)', (t) => {
  for (const length of [0, 16, 19, 21, 24]) {
    const hexLength = length.toString(16).padStart(4, '0');
    t.is(fault(raw(`0008${hexLength}${'00'.repeat((length + 3) & ~3)}`)), FAULTS.STUN_ATTRIBUTE);
  }
  for (let length = 0; length <= 40; length++) {
    const hexLength = length.toString(16).padStart(4, '0');
    const legal = length >= 16 && length <= 32 && length % 4 === 0;
    t.is(
      fault(raw(`001c${hexLength}${'00'.repeat((length + 3) & ~3)}`)),
      legal ? 0 : FAULTS.STUN_ATTRIBUTE,
      `${length}`,
    );
  }
});

test('[B5] a truncated SHA-256 counts only where the usage allows that length (14.6)', (t) => {
  const [, key] = KEYS['RFC 8489 B.1'] ?? ['sha256', new Uint8Array()];
  const start = vectors.LONG_TERM_SHA256.length - 36;
  for (const length of [16, 20, 24, 28, 32]) {
    // The HMAC covers the length field, so a truncated one is made over a shorter message.
    const octets = vectors.LONG_TERM_SHA256.slice(0, start + 4 + length);
    const view = new DataView(octets.buffer);
    view.setUint16(2, octets.length - 20);
    view.setUint16(start + 2, length);
    const whole = encodeIntegrity(octets, start, key);
    octets.set(whole.subarray(0, length), start + 4);
    const message = read(octets);
    t.is(integrityRight(octets, 0, message, 'sha256', key), length === 32);
    t.true(integrityRight(octets, 0, message, 'sha256', key, 16));
    octets[start + 3 + length] = (octets[start + 3 + length] ?? 0) ^ 1;
    t.false(integrityRight(octets, 0, message, 'sha256', key, 16));
  }
});

function encodeIntegrity(octets: Uint8Array, start: number, key: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(octets.subarray(0, start)).digest();
}

test('[B5] FINGERPRINT: wrong value, wrong length, not at the end', (t) => {
  const wrong = Uint8Array.from(vectors.KEEP_ALIVE);
  wrong[27] = (wrong[27] ?? 0) ^ 1;
  t.is(fault(wrong), FAULTS.STUN_FINGERPRINT);
  t.is(fault(raw('80280000')), FAULTS.STUN_ATTRIBUTE);
  const early = raw('8028000400000000ffff0000');
  new DataView(early.buffer).setUint32(24, fingerprint(early, 0, 20));
  t.is(fault(early), FAULTS.STUN_FINGERPRINT);
});

test('[B5] the CRC is the one of ITU V.42: its check value over 123456789 is cbf43926', (t) => {
  const digits = Buffer.from('123456789');
  t.is((fingerprint(digits, 0, digits.length) ^ 0x5354554e) >>> 0, 0xcbf43926);
});

test('[B5] both integrities and FINGERPRINT, in the order of the RFC, each over what is before it', (t) => {
  const key = Buffer.from('secret');
  const parts: StunParts = {
    class: 'request',
    method: 1,
    transactionId: vectors.TRANSACTION_ID,
    attributes: [{ type: 'USERNAME', value: 'a' }],
  };
  const protection: Protection = {
    integrity: { key, algorithms: ['sha256', 'sha1'] },
    fingerprint: true,
  };
  const octets = encode(parts, protection);
  const message = read(octets);
  t.is(message.integrityAt, 28);
  t.is(message.integritySha256At, 28 + 24);
  t.is(message.fingerprintAt, 28 + 24 + 36);
  t.true(integrityRight(octets, 0, message, 'sha1', key));
  t.true(integrityRight(octets, 0, message, 'sha256', key));
});
