import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { FAULTS } from '../../../wire/faults.ts';
import type { Attribute } from '../../../wire/stun/attributes.ts';
import { fingerprint } from '../../../wire/stun/fingerprint.ts';
import { type IntegrityAlgorithm, integrityRight } from '../../../wire/stun/integrity.ts';
import { longTermKey, prepareCredentials } from '../../../wire/stun/keys.ts';
import {
  decode,
  encode,
  find,
  has,
  looksLikeStun,
  MAX_ATTRIBUTES,
  MAX_STUN_LEN,
  type Protection,
  type StunMessage,
  type StunParts,
} from '../../../wire/stun/message.ts';
import { ATTRIBUTES, CLASSES } from '../../../wire/stun/registry.ts';
import { seededRandom } from '../../sim/random.ts';
import * as vectors from './vectors.ts';
import { hex, poisoned } from './vectors.ts';

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

function read(octets: Uint8Array): StunMessage {
  const { b, at, end } = poisoned(octets);
  const result = decode(b, at, end);
  if (typeof result === 'number') throw new Error(`fault ${result}`);
  return result;
}

function fault(octets: Uint8Array): number {
  const { b, at, end } = poisoned(octets);
  const result = decode(b, at, end);
  return typeof result === 'number' ? result : 0;
}

/** A message of the given attributes in hex, with a right length field. */
function raw(attributes: string, type = '0001'): Uint8Array {
  const length = (attributes.length / 2).toString(16).padStart(4, '0');
  return hex(
    `${type}${length}2112a442${Buffer.from(vectors.TRANSACTION_ID).toString('hex')}${attributes}`,
  );
}

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

test('[B5] RFC 5769 2.1: header and attributes', (t) => {
  const message = read(vectors.REQUEST);
  t.is(message.class, 'request');
  t.is(message.method, 1);
  t.deepEqual(message.transactionId, vectors.TRANSACTION_ID);
  t.deepEqual(message.attributes, [
    { type: 'SOFTWARE', value: 'STUN test client' },
    { type: 'PRIORITY', value: 0x6e0001ff },
    { type: 'ICE-CONTROLLED', value: 0x932ff9b151263b36n },
    { type: 'USERNAME', value: 'evtj:h6vY' },
  ]);
  t.is(message.integrityAt, vectors.REQUEST.length - 32);
  t.is(message.fingerprintAt, vectors.REQUEST.length - 8);
});

test('[M-05] RFC 5769 2.2 and 2.3: the public address, IPv4 and IPv6', (t) => {
  t.deepEqual(find(read(vectors.RESPONSE_IPV4), 'XOR-MAPPED-ADDRESS'), {
    family: 4,
    address: Uint8Array.of(192, 0, 2, 1),
    port: 32853,
  });
  t.deepEqual(find(read(vectors.RESPONSE_IPV6), 'XOR-MAPPED-ADDRESS'), {
    family: 6,
    address: hex('20010db8123456780011223344556677'),
    port: 32853,
  });
});

test('[B5] RFC 5769 2.4 and RFC 8489 B.1: attributes', (t) => {
  t.deepEqual(read(vectors.LONG_TERM).attributes, [
    { type: 'USERNAME', value: vectors.USERNAME },
    { type: 'NONCE', value: 'f//499k954d6OL34oL9FSTvy64sA' },
    { type: 'REALM', value: 'example.org' },
  ]);
  const message = read(vectors.LONG_TERM_SHA256);
  t.is(find(message, 'NONCE'), 'obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA');
  t.deepEqual(find(message, 'PASSWORD-ALGORITHM'), {
    algorithm: 2,
    parameters: new Uint8Array(0),
  });
});

test('[B5] type bits: every class and method to octets and back, the four of Binding as printed', (t) => {
  const typeOf = (name: StunParts['class'], method: number) => {
    const octets = encode({
      class: name,
      method,
      transactionId: vectors.TRANSACTION_ID,
      attributes: [],
    });
    const message = read(octets);
    t.is(message.class, name);
    t.is(message.method, method);
    return Buffer.from(octets).readUInt16BE(0);
  };
  t.deepEqual(
    CLASSES.map((name) => typeOf(name, 1)),
    [0x0001, 0x0011, 0x0101, 0x0111],
  );
  t.is(typeOf('error', 0xfff), 0x3fff);
  t.is(typeOf('request', 0xfff), 0x3eef);
  for (let method = 0; method <= 0xfff; method += 7) typeOf('success', method);
});

test('[B5] the bits of a message whose values are views into a Buffer are still its own', (t) => {
  const b = Buffer.from(raw('d3e00010000102030405060708090a0b0c0d0e0f'));
  const message = decode(b, 0, b.length);
  if (typeof message === 'number') return t.fail();
  b.fill(0xff);
  t.deepEqual(message.transactionId, vectors.TRANSACTION_ID);
  t.deepEqual(find(message, 'TEP-TUNNEL'), hex('000102030405060708090a0b0c0d0e0f'));
});

for (const [name, octets] of Object.entries(vectors.ALL)) {
  test(`[B5] ${name}: no prefix of it is a message, and none is read past its end`, (t) => {
    for (let length = 0; length < octets.length; length++) {
      // Behind the prefix the rest of the vector is poison, so a read past the end would differ.
      const { b, at, end } = poisoned(octets.subarray(0, length));
      const result = decode(b, at, end);
      t.is(typeof result, 'number', `${length} octets`);
      t.is(result, length < 20 ? FAULTS.STUN_SHORT : FAULTS.STUN_LENGTH);
      t.is(looksLikeStun(b, at, end), length >= 20);
    }
    t.is(fault(Uint8Array.of(...octets, 0, 0, 0, 0)), FAULTS.STUN_LENGTH);
  });

  test(`[B5] ${name}: cut anywhere in a stream, its header tells how much to wait for`, (t) => {
    const stream = Uint8Array.of(...octets, ...octets);
    for (let cut = 0; cut <= stream.length; cut++) {
      const found: StunMessage[] = [];
      let held = new Uint8Array(0);
      for (const chunk of [stream.subarray(0, cut), stream.subarray(cut)]) {
        held = Uint8Array.of(...held, ...chunk);
        while (looksLikeStun(held, 0, held.length)) {
          const length = 20 + ((held[2] ?? 0) << 8) + (held[3] ?? 0);
          if (held.length < length) break;
          found.push(read(held.subarray(0, length)));
          held = held.slice(length);
        }
      }
      t.is(found.length, 2);
      t.is(held.length, 0);
    }
  });
}

test('[B5] headers that are not STUN: first bits, cookie, length (RFC 8489 6.3)', (t) => {
  const changed = (at: number, value: number) => {
    const octets = Uint8Array.from(vectors.REQUEST);
    octets[at] = value;
    return octets;
  };
  t.is(fault(changed(0, 0x40)), FAULTS.STUN_TYPE);
  t.is(fault(changed(0, 0x80)), FAULTS.STUN_TYPE);
  for (const at of [4, 5, 6, 7]) t.is(fault(changed(at, 0)), FAULTS.STUN_COOKIE);
  for (const low of [0x59, 0x5a, 0x5b, 0x5c, 0x54]) {
    t.is(fault(changed(3, low)), FAULTS.STUN_LENGTH);
  }
});

test('[B5] limit: 1,500 octets are read and written, 1,504 are not', (t) => {
  const padding = (n: number): StunParts => ({
    class: 'request',
    method: 1,
    transactionId: vectors.TRANSACTION_ID,
    attributes: [{ type: 'PADDING', value: new Uint8Array(n) }],
  });
  t.is(encode(padding(MAX_STUN_LEN - 24)).length, MAX_STUN_LEN);
  t.is(fault(encode(padding(MAX_STUN_LEN - 24))), 0);
  t.throws(() => encode(padding(MAX_STUN_LEN - 23)), { instanceOf: RangeError });
  const body = `002605cc${'00'.repeat(MAX_STUN_LEN - 20)}`;
  t.is(fault(raw(body)), FAULTS.STUN_LENGTH);
  t.false(looksLikeStun(raw(body), 0, 20), 'refused before its body is waited for');
});

test('[B5] limit: 64 attributes are read, 65 are not', (t) => {
  t.is(fault(raw('80280000'.replace('8028', 'ffff').repeat(MAX_ATTRIBUTES))), 0);
  t.is(fault(raw('ffff0000'.repeat(MAX_ATTRIBUTES + 1))), FAULTS.STUN_ATTRIBUTES_MANY);
});

test('[B5] an attribute that is longer than the message is a fault', (t) => {
  t.is(fault(raw('0006000400')), FAULTS.STUN_LENGTH);
  t.is(fault(raw('0006000561626364')), FAULTS.STUN_ATTRIBUTE);
  t.is(fault(raw('0006ffff61626364')), FAULTS.STUN_ATTRIBUTE);
  t.is(fault(raw('0006000461626364')), 0);
});

test('[B5] the first of several counts (RFC 8489 14), but all are there', (t) => {
  const message = read(raw('00060001610000000006000162000000'));
  t.is(find(message, 'USERNAME'), 'a');
  t.is(message.attributes.length, 2);
  t.true(has(message, 'USERNAME'));
  t.false(has(message, 'REALM'));
});

test('[B5] unknown attributes are kept as they came, required ones listed once', (t) => {
  const message = read(raw('7777000101a5a5a5c00000007776000077770000'));
  t.deepEqual(message.attributes, [
    { type: 'unknown', number: 0x7777, value: Uint8Array.of(1) },
    { type: 'unknown', number: 0xc000, value: new Uint8Array(0) },
    { type: 'unknown', number: 0x7776, value: new Uint8Array(0) },
    { type: 'unknown', number: 0x7777, value: new Uint8Array(0) },
  ]);
  t.deepEqual(message.unknownRequired, [0x7777, 0x7776]);
});

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

test('our own mistakes: transaction id, method', (t) => {
  const parts: StunParts = {
    class: 'request',
    method: 1,
    transactionId: vectors.TRANSACTION_ID,
    attributes: [],
  };
  t.throws(() => encode({ ...parts, transactionId: new Uint8Array(16) }), {
    instanceOf: RangeError,
  });
  for (const method of [-1, 0x1000, 1.5]) {
    t.throws(() => encode({ ...parts, method }), { instanceOf: RangeError });
  }
});

test('[B5] 10,000 mutations: no throw, no growth, nothing outside touched', (t) => {
  const random = seededRandom(8489);
  const all = Object.values(vectors.ALL);
  for (let i = 0; i < 10_000; i++) {
    const original = all[i % all.length] ?? new Uint8Array();
    const { b, at, end } = poisoned(original);
    for (let n = random.below(6); n >= 0; n--)
      b[at + random.below(original.length)] = random.below(256);
    const shorter = random.chance(0.2) ? random.below(original.length) : 0;
    const before = Uint8Array.from(b);
    const result = decode(b, at, end - shorter);
    if (typeof result !== 'number') {
      t.true(heldOctets(result.attributes) <= original.length * 2);
      integrityRight(b, at, result, 'sha1', vectors.SHORT_TERM_KEY);
      integrityRight(b, at, result, 'sha256', vectors.SHORT_TERM_KEY, 16);
    }
    if (Buffer.compare(b, before) !== 0) t.fail('octets of the caller changed');
  }
  t.pass();
});

/** Octets of strings and arrays in the values: what a message can make us keep. */
function heldOctets(attributes: readonly Attribute[]): number {
  const text = JSON.stringify(
    attributes.map((attribute) => attribute.value),
    (_key, value: unknown) =>
      value instanceof Uint8Array
        ? '.'.repeat(value.length)
        : typeof value === 'bigint'
          ? 8
          : value,
  );
  return text.length / 8;
}

test('[B5] any octets at all: a message or a fault', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
      const octets = raw(Buffer.from(body.subarray(0, body.length & ~3)).toString('hex'));
      const { b, at, end } = poisoned(octets);
      const result = decode(b, at, end);
      return typeof result === 'number' ? result > 0 : result.type === 'stun';
    }),
    { seed: 5389, numRuns: 2000 },
  );
  t.pass();
});

test('[B5] numbers of integrity and fingerprint are not attributes of the list', (t) => {
  const message = read(vectors.REQUEST);
  const numbers = message.attributes.map((a) =>
    a.type === 'unknown' ? a.number : ATTRIBUTES[a.type],
  );
  t.false(numbers.includes(ATTRIBUTES.FINGERPRINT));
  t.false(numbers.includes(ATTRIBUTES['MESSAGE-INTEGRITY']));
});
