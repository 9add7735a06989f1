import { Buffer } from 'node:buffer';
import test from 'ava';
import fc from 'fast-check';
import { FAULTS } from '../../../wire/faults.ts';
import type { Attribute } from '../../../wire/stun/attributes.ts';
import { integrityRight } from '../../../wire/stun/integrity.ts';
import {
  decode,
  encode,
  find,
  has,
  looksLikeStun,
  MAX_ATTRIBUTES,
  MAX_STUN_LEN,
  type StunMessage,
  type StunParts,
} from '../../../wire/stun/message.ts';
import { ATTRIBUTES, CLASSES } from '../../../wire/stun/registry.ts';
import { seededRandom } from '../../sim/random.ts';
import { fault, raw, read } from './messages.ts';
import * as vectors from './vectors.ts';
import { hex, poisoned } from './vectors.ts';

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
