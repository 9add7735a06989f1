import { Buffer } from 'node:buffer';
import test from 'ava';
import fc from 'fast-check';
import {
  encode,
  MAX_DEPTH,
  MAX_VALUE_LEN,
  MAX_VALUES,
  type Plain,
  readValue,
  textOf,
  type Value,
} from '../../../framing/ng/bencode.ts';
import { FAULTS, faultName } from '../../../wire/faults.ts';
import { generator, mutate } from '../../wire/standing.ts';

/** Between octets that no reader may look at; the end is where the text ends. */
function read(text: string | Uint8Array): Value | string {
  const octets = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const b = Buffer.alloc(octets.length + 64, 0x65);
  b.set(octets, 32);
  const value = readValue(b, 32, 32 + octets.length);
  return typeof value === 'number' ? faultName(value) : value;
}

/** As JavaScript values: strings one character per octet, dictionaries as lists of pairs. */
function plain(text: string): unknown {
  const octets = Buffer.from(text, 'latin1');
  const value = readValue(octets, 0, octets.length);
  return typeof value === 'object' ? unwrap(octets, value) : value;
}

function unwrap(b: Uint8Array, value: Value): unknown {
  if (value.type === 'string') return textOf(b, value);
  if (value.type === 'integer') return value.value;
  if (value.type === 'list') return value.items.map((item) => unwrap(b, item));
  return [...value.entries].map(([key, entry]) => [key, unwrap(b, entry.value)]);
}

test('values of every kind, dictionaries in their own order', (t) => {
  t.deepEqual(plain('i-7e'), -7n);
  t.deepEqual(plain('i0e'), 0n);
  t.deepEqual(plain('i9223372036854775807e'), 9_223_372_036_854_775_807n);
  t.is(plain('0:'), '');
  t.is(plain('3:\xff\0e'), '\xff\0e');
  t.deepEqual(plain('le'), []);
  t.deepEqual(plain('l1:ai1elee'), ['a', 1n, []]);
  t.deepEqual(plain('d1:b0:1:ad9:__proto__i1eee'), [
    ['b', ''],
    ['a', [['__proto__', 1n]]],
  ]);
});

test('what is broken is refused at once, not waited for', (t) => {
  const cases: ReadonlyArray<readonly [text: string, fault: keyof typeof FAULTS]> = [
    ['x', 'BENCODE_TYPE'],
    ['-1:a', 'BENCODE_TYPE'],
    ['e', 'BENCODE_TYPE'],
    ['l1:ax', 'BENCODE_TYPE'],
    ['i-0e', 'BENCODE_NUMBER'],
    ['i-0', 'BENCODE_NUMBER'],
    ['i00', 'BENCODE_NUMBER'],
    ['i1.', 'BENCODE_NUMBER'],
    ['i+', 'BENCODE_NUMBER'],
    ['ie', 'BENCODE_NUMBER'],
    ['i-e', 'BENCODE_NUMBER'],
    ['i1 ', 'BENCODE_NUMBER'],
    [`i${'1'.repeat(21)}`, 'BENCODE_NUMBER'],
    ['01', 'BENCODE_NUMBER'],
    ['1x', 'BENCODE_NUMBER'],
    ['1234567', 'NG_TOO_LONG'],
    ['262144:', 'NG_TOO_LONG'],
    ['di1e', 'BENCODE_KEY'],
    ['d1:ai1e1:a', 'BENCODE_KEY'],
    ['dle', 'BENCODE_KEY'],
    ['d1:ae', 'BENCODE_TYPE'],
  ];
  for (const [text, fault] of cases) t.is(read(text), faultName(FAULTS[fault]), text);
});

const VECTOR = 'd3:sdp7:v=0\r\n\xff\xfe7:replacel6:origine4:listd1:xi-12e1:yleee';

test('every prefix waits, and a value ends where it ends', (t) => {
  for (let n = 0; n < VECTOR.length; n++) t.is(read(VECTOR.slice(0, n)), 'need-more', `${n}`);
  const value = readValue(Buffer.from(`${VECTOR}rest`, 'latin1'), 0, VECTOR.length + 4);
  t.is(typeof value === 'object' ? value.end : -1, VECTOR.length);
});

test('limits: one more is refused', (t) => {
  const nested = (depth: number) => 'l'.repeat(depth) + 'e'.repeat(depth);
  t.is(typeof read(nested(MAX_DEPTH + 1)), 'object');
  t.is(read(nested(MAX_DEPTH + 2)), 'bencode-deep');
  t.is(read('l'.repeat(100_000)), 'bencode-deep');
  const many = (n: number) => `l${'i0e'.repeat(n)}e`;
  t.is(typeof read(many(MAX_VALUES - 1)), 'object');
  t.is(read(many(MAX_VALUES)), 'bencode-many');
  const long = (n: number) => `${n}:${'x'.repeat(n)}`;
  t.is(typeof read(long(MAX_VALUE_LEN - 7)), 'object');
  t.is(read(long(MAX_VALUE_LEN - 6)), 'ng-too-long');
  t.is(read(`l${long(99_999).repeat(3)}`), 'ng-too-long');
  t.is(read(`l${'i-999999999999999999e'.repeat(14_000)}`), 'ng-too-long');
});

const leaf = fc.oneof(
  fc.maxSafeInteger(),
  fc.uint8Array({ maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const value = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.string({ maxLength: 5 }), tie('value')), {
        selector: ([key]) => key,
        maxLength: 4,
      })
      .map((pairs) => new Map(pairs)),
  ),
})).value;

function again(b: Uint8Array, one: Value): Plain {
  if (one.type === 'string') return b.subarray(one.from, one.end);
  if (one.type === 'integer') return Number(one.value);
  if (one.type === 'list') return one.items.map((item) => again(b, item));
  return new Map([...one.entries].map(([key, entry]) => [key, again(b, entry.value)]));
}

test('any value: what is written is read, and written again is the same octets', (t) => {
  fc.assert(
    fc.property(value, (one) => {
      const octets = encode(one);
      const back = readValue(octets, 0, octets.length);
      if (typeof back !== 'object' || back.end !== octets.length) return false;
      return Buffer.from(encode(again(octets, back))).equals(octets);
    }),
    { seed: 20_261_125, numRuns: 1_000 },
  );
  t.throws(() => encode(1.5), { instanceOf: RangeError });
});

test('10,000 seeded mutations: no throw, no octet outside', (t) => {
  const random = generator(3);
  const octets = Buffer.from(VECTOR, 'latin1');
  let refused = 0;
  for (let i = 0; i < 10_000; i++) {
    const mutant = mutate(octets, random);
    const result = read(mutant);
    if (typeof result === 'string') refused += 1;
    else if (result.end > 32 + mutant.length) t.fail();
  }
  t.true(refused > 1_000 && refused < 10_000, `${refused}`);
});
