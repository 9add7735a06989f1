import { Buffer } from 'node:buffer';
import test from 'ava';
import fc from 'fast-check';
import { FAULTS } from '../../../wire/faults.ts';
import type { Attribute, AttributeName } from '../../../wire/stun/attributes.ts';
import { decode, encode, type StunMessage } from '../../../wire/stun/message.ts';
import { ATTRIBUTES } from '../../../wire/stun/registry.ts';
import { hex, poisoned, TRANSACTION_ID } from './vectors.ts';

const IPV4 = { family: 4, address: hex('c0000201'), port: 32853 } as const;
const IPV6 = { family: 6, address: hex('20010db8123456780011223344556677'), port: 32853 } as const;
const XOR_IPV4 = '0001a147e112a643';
const XOR_IPV6 = '0002a1470113a9faa5d3f179bc25f4b5bed2b9d9';

/** Attribute and the octets of its value, made by hand from the figures of the RFCs and tep-wire. */
const TABLE: readonly (readonly [Attribute, string])[] = [
  [{ type: 'MAPPED-ADDRESS', value: IPV4 }, '00018055c0000201'],
  [{ type: 'MAPPED-ADDRESS', value: IPV6 }, '0002805520010db8123456780011223344556677'],
  [{ type: 'XOR-MAPPED-ADDRESS', value: IPV4 }, XOR_IPV4],
  [{ type: 'XOR-MAPPED-ADDRESS', value: IPV6 }, XOR_IPV6],
  [{ type: 'XOR-PEER-ADDRESS', value: IPV4 }, XOR_IPV4],
  [{ type: 'XOR-RELAYED-ADDRESS', value: IPV6 }, XOR_IPV6],
  [{ type: 'ALTERNATE-SERVER', value: IPV4 }, '00018055c0000201'],
  [{ type: 'RESPONSE-ORIGIN', value: IPV4 }, '00018055c0000201'],
  [{ type: 'OTHER-ADDRESS', value: IPV4 }, '00018055c0000201'],
  [{ type: 'USERNAME', value: 'evtj:h6vY' }, '6576746a3a68367659'],
  [{ type: 'USERNAME', value: '' }, ''],
  [{ type: 'USERHASH', value: new Uint8Array(32).fill(9) }, '09'.repeat(32)],
  [{ type: 'REALM', value: 'räl' }, '72c3a46c'],
  [{ type: 'NONCE', value: 'n' }, '6e'],
  [{ type: 'SOFTWARE', value: 'tep' }, '746570'],
  [{ type: 'ALTERNATE-DOMAIN', value: 'a.example' }, '612e6578616d706c65'],
  [{ type: 'ERROR-CODE', value: { code: 438, reason: 'Stale' } }, '000004265374616c65'],
  [{ type: 'ERROR-CODE', value: { code: 300, reason: '' } }, '00000300'],
  [{ type: 'ERROR-CODE', value: { code: 699, reason: '' } }, '00000663'],
  [{ type: 'UNKNOWN-ATTRIBUTES', value: [0x7777, 3, 0x000a] }, '77770003000a'],
  [{ type: 'UNKNOWN-ATTRIBUTES', value: [] }, ''],
  [
    { type: 'PASSWORD-ALGORITHM', value: { algorithm: 2, parameters: new Uint8Array(0) } },
    '00020000',
  ],
  [
    {
      type: 'PASSWORD-ALGORITHMS',
      value: [
        { algorithm: 2, parameters: new Uint8Array(0) },
        { algorithm: 0x8001, parameters: hex('0102030405') },
        { algorithm: 1, parameters: new Uint8Array(0) },
      ],
    },
    '0002000080010005010203040500000000010000',
  ],
  [{ type: 'CHANNEL-NUMBER', value: 0x4001 }, '40010000'],
  [{ type: 'LIFETIME', value: 0xfffffffe }, 'fffffffe'],
  [{ type: 'DATA', value: hex('0102030405') }, '0102030405'],
  [{ type: 'REQUESTED-ADDRESS-FAMILY', value: 4 }, '01000000'],
  [{ type: 'REQUESTED-ADDRESS-FAMILY', value: 6 }, '02000000'],
  [{ type: 'ADDITIONAL-ADDRESS-FAMILY', value: 6 }, '02000000'],
  [{ type: 'EVEN-PORT', value: true }, '80'],
  [{ type: 'EVEN-PORT', value: false }, '00'],
  [{ type: 'REQUESTED-TRANSPORT', value: 17 }, '11000000'],
  [{ type: 'DONT-FRAGMENT', value: true }, ''],
  [{ type: 'RESERVATION-TOKEN', value: hex('0102030405060708') }, '0102030405060708'],
  [{ type: 'ADDRESS-ERROR-CODE', value: { family: 6, code: 440, reason: 'no' } }, '020004286e6f'],
  [{ type: 'ICMP', value: { type: 3, code: 4, data: 1400 } }, '0000030400000578'],
  [{ type: 'CONNECTION-ID', value: 0x80000001 }, '80000001'],
  [{ type: 'PRIORITY', value: 0x6e0001ff }, '6e0001ff'],
  [{ type: 'USE-CANDIDATE', value: true }, ''],
  [{ type: 'ICE-CONTROLLED', value: 0x932ff9b151263b36n }, '932ff9b151263b36'],
  [{ type: 'ICE-CONTROLLING', value: 1n }, '0000000000000001'],
  [{ type: 'CHANGE-REQUEST', value: { ip: true, port: false } }, '00000004'],
  [{ type: 'CHANGE-REQUEST', value: { ip: true, port: true } }, '00000006'],
  [{ type: 'PADDING', value: hex('ffff') }, 'ffff'],
  [{ type: 'RESPONSE-PORT', value: 65535 }, 'ffff'],
  [{ type: 'CACHE-TIMEOUT', value: 60 }, '0000003c'],
  [{ type: 'TEP-TUNNEL', value: new Uint8Array(0) }, ''],
  [{ type: 'TEP-TUNNEL', value: new Uint8Array(16).fill(1) }, '01'.repeat(16)],
  [{ type: 'TEP-BINDING', value: { port: 40000, flags: 1, protocol: 17 } }, '9c400111'],
  [{ type: 'TEP-CLOSE', value: true }, ''],
  [{ type: 'TEP-STRIPE', value: 258 }, '0102'],
  [
    { type: 'TEP-STATS', value: { records: 2 ** 32 + 5, octets: 2 ** 53 - 1, drops: 2 ** 32 - 1 } },
    '0000000100000005001fffffffffffffffffffff',
  ],
  [{ type: 'unknown', number: 0x7777, value: hex('010203') }, '010203'],
  [{ type: 'unknown', number: 0xffff, value: hex('') }, ''],
];

/** A message with one attribute of these octets. */
function messageWith(number: number, value: string, padding = '00'): Uint8Array {
  const length = value.length / 2;
  const filler = padding.repeat((4 - (length % 4)) % 4);
  const body = word(number) + word(length) + value + filler;
  return hex(
    `0001${word(body.length / 2)}2112a442${Buffer.from(TRANSACTION_ID).toString('hex')}${body}`,
  );
}

function word(n: number): string {
  return n.toString(16).padStart(4, '0');
}

function read(octets: Uint8Array): StunMessage | number {
  const { b, at, end } = poisoned(octets);
  return decode(b, at, end);
}

function only(octets: Uint8Array): Attribute | number | undefined {
  const message = read(octets);
  return typeof message === 'number' ? message : message.attributes[0];
}

for (const [attribute, value] of TABLE) {
  const number = attribute.type === 'unknown' ? attribute.number : ATTRIBUTES[attribute.type];
  test(`[B5] ${attribute.type} ${value.slice(0, 20)} both ways`, (t) => {
    t.deepEqual(only(messageWith(number, value)), attribute);
    const octets = encode({
      class: 'request',
      method: 1,
      transactionId: TRANSACTION_ID,
      attributes: [attribute],
    });
    t.deepEqual(octets, messageWith(number, value));
  });
}

test('[B5] every attribute of the registry is in this table', (t) => {
  const seen = new Set<string>(TABLE.map(([attribute]) => attribute.type));
  for (const name of Object.keys(ATTRIBUTES)) {
    if (!/^(?:MESSAGE-INTEGRITY.*|FINGERPRINT)$/.test(name)) t.true(seen.has(name), name);
  }
});

test('[B5] padding may be anything when received (RFC 8489 14)', (t) => {
  t.deepEqual(only(messageWith(0x0006, '61', 'ff')), { type: 'USERNAME', value: 'a' });
});

test('[B5] reserved bits are not looked at', (t) => {
  t.deepEqual(only(messageWith(0x0001, 'ff018055c0000201')), {
    type: 'MAPPED-ADDRESS',
    value: IPV4,
  });
  t.deepEqual(only(messageWith(0x0009, 'fffffc26')), {
    type: 'ERROR-CODE',
    value: { code: 438, reason: '' },
  });
  t.deepEqual(only(messageWith(0x0019, '11ffffff')), { type: 'REQUESTED-TRANSPORT', value: 17 });
  t.deepEqual(only(messageWith(0x000c, '4001ffff')), { type: 'CHANNEL-NUMBER', value: 0x4001 });
  t.deepEqual(only(messageWith(0x0018, 'ff')), { type: 'EVEN-PORT', value: true });
  t.deepEqual(only(messageWith(0x0027, '1234ffff')), { type: 'RESPONSE-PORT', value: 0x1234 });
});

test('[B5] an address family that nobody knows makes the attribute one to ignore (6.3.3)', (t) => {
  const value = '0003805501020304';
  t.deepEqual(only(messageWith(0x0020, value)), {
    type: 'unknown',
    number: 0x0020,
    value: hex(value),
  });
  const message = read(messageWith(0x0020, value));
  t.deepEqual(typeof message === 'number' ? message : message.unknownRequired, []);
  t.deepEqual(only(messageWith(0x0017, '03000000')), {
    type: 'unknown',
    number: 0x0017,
    value: hex('03000000'),
  });
});

/** Values that no sender may make: a number is how many octets of zero. */
const MALFORMED: readonly (readonly [AttributeName, string | number])[] = [
  ['XOR-MAPPED-ADDRESS', 0],
  ['XOR-MAPPED-ADDRESS', '00018055c00002'],
  ['XOR-MAPPED-ADDRESS', '00028055c0000201'],
  ['MAPPED-ADDRESS', '00018055c000020100'],
  ['USERNAME', 'ff'],
  ['USERNAME', 764],
  ['REALM', 'c3'],
  ['REALM', '61'.repeat(128)],
  ['NONCE', '61'.repeat(128)],
  ['NONCE', 'f09f9880'.repeat(128)],
  ['NONCE', 'eda080'],
  ['SOFTWARE', 764],
  ['USERHASH', 31],
  ['USERHASH', 33],
  ['ERROR-CODE', '000004'],
  ['ERROR-CODE', '00000200'],
  ['ERROR-CODE', '00000700'],
  ['ERROR-CODE', '00000464'],
  ['ERROR-CODE', 768],
  ['UNKNOWN-ATTRIBUTES', '000a00'],
  ['PASSWORD-ALGORITHM', ''],
  ['PASSWORD-ALGORITHM', '0002'],
  ['PASSWORD-ALGORITHM', '00020004'],
  ['PASSWORD-ALGORITHM', '0002000000010000'],
  ['PASSWORD-ALGORITHMS', '0002000000'],
  ['PASSWORD-ALGORITHMS', '0002000401'],
  ['LIFETIME', 3],
  ['LIFETIME', 5],
  ['CHANNEL-NUMBER', 2],
  ['EVEN-PORT', 0],
  ['EVEN-PORT', 2],
  ['REQUESTED-TRANSPORT', 1],
  ['REQUESTED-ADDRESS-FAMILY', 1],
  ['ADDRESS-ERROR-CODE', 3],
  ['ADDRESS-ERROR-CODE', '01000264'],
  ['DONT-FRAGMENT', 1],
  ['RESERVATION-TOKEN', 7],
  ['ICMP', 4],
  ['PRIORITY', 8],
  ['ICE-CONTROLLED', 4],
  ['CHANGE-REQUEST', 3],
  ['RESPONSE-PORT', 3],
  ['TEP-TUNNEL', 1],
  ['TEP-TUNNEL', 15],
  ['TEP-TUNNEL', 17],
  ['TEP-BINDING', 3],
  ['TEP-BINDING', 5],
  ['TEP-CLOSE', 4],
  ['TEP-STRIPE', 4],
  ['TEP-STATS', 19],
  ['TEP-STATS', 21],
];

test('[B5] malformed values are a fault, in whatever attribute', (t) => {
  for (const [name, value] of MALFORMED) {
    const octets = typeof value === 'number' ? '00'.repeat(value) : value;
    const message = read(messageWith(ATTRIBUTES[name], octets));
    t.is(message, FAULTS.STUN_ATTRIBUTE, `${name} ${value}`);
  }
});

test('[B5] realm and nonce of 127 characters are read, however many octets that is', (t) => {
  for (const text of ['a'.repeat(127), '\u{1f600}'.repeat(127)]) {
    const value = Buffer.from(text).toString('hex');
    t.deepEqual(only(messageWith(0x0014, value)), { type: 'REALM', value: text });
    t.deepEqual(only(messageWith(0x0015, value)), { type: 'NONCE', value: text });
  }
});

test('[B5] text of 763 octets is read, of 508 octets and 127 characters is sent (14.3, 14.9)', (t) => {
  const long = 'a'.repeat(763);
  t.deepEqual(only(messageWith(0x0006, '61'.repeat(763))), { type: 'USERNAME', value: long });
  const send = (attribute: Attribute) => () =>
    encode({ class: 'request', method: 1, transactionId: TRANSACTION_ID, attributes: [attribute] });
  t.notThrows(send({ type: 'USERNAME', value: 'a'.repeat(508) }));
  t.throws(send({ type: 'USERNAME', value: 'a'.repeat(509) }), { instanceOf: RangeError });
  t.notThrows(send({ type: 'REALM', value: '\u{1f600}'.repeat(127) }));
  t.throws(send({ type: 'REALM', value: '\u{1f600}'.repeat(128) }), { instanceOf: RangeError });
  t.throws(send({ type: 'NONCE', value: 'a'.repeat(128) }), { instanceOf: RangeError });
});

test('SOFTWARE and reason phrases are for the eye: broken UTF-8 does not stop a message', (t) => {
  t.deepEqual(only(messageWith(0x8022, '61ff')), { type: 'SOFTWARE', value: 'a\ufffd' });
});

test('[W-7] a counter of TEP-STATS beyond 2^53 - 1 is read as that', (t) => {
  t.deepEqual(only(messageWith(0xd3e4, `${'ff'.repeat(8)}002000000000000000000001`)), {
    type: 'TEP-STATS',
    value: { records: Number.MAX_SAFE_INTEGER, octets: Number.MAX_SAFE_INTEGER, drops: 1 },
  });
});

test('our own mistakes: values that do not fit are RangeErrors', (t) => {
  const wrong: Attribute[] = [
    { type: 'MAPPED-ADDRESS', value: { family: 4, address: new Uint8Array(16), port: 1 } },
    { type: 'MAPPED-ADDRESS', value: { family: 4, address: new Uint8Array(4), port: 65536 } },
    { type: 'LIFETIME', value: 2 ** 32 },
    { type: 'LIFETIME', value: -1 },
    { type: 'LIFETIME', value: 1.5 },
    { type: 'CHANNEL-NUMBER', value: 65536 },
    { type: 'REQUESTED-TRANSPORT', value: 256 },
    { type: 'USERHASH', value: new Uint8Array(20) },
    { type: 'RESERVATION-TOKEN', value: new Uint8Array(9) },
    { type: 'ICE-CONTROLLED', value: -1n },
    { type: 'ICE-CONTROLLED', value: 2n ** 64n },
    { type: 'ERROR-CODE', value: { code: 200, reason: '' } },
    { type: 'ERROR-CODE', value: { code: 700, reason: '' } },
    { type: 'UNKNOWN-ATTRIBUTES', value: [65536] },
    { type: 'TEP-TUNNEL', value: new Uint8Array(15) },
    { type: 'TEP-BINDING', value: { port: 65536, flags: 0, protocol: 17 } },
    { type: 'TEP-BINDING', value: { port: 1, flags: 256, protocol: 17 } },
    { type: 'TEP-STATS', value: { records: 2 ** 53, octets: 0, drops: 0 } },
    { type: 'TEP-STATS', value: { records: 0, octets: 0, drops: 2 ** 32 } },
    { type: 'unknown', number: 0x10000, value: new Uint8Array(0) },
  ];
  for (const attribute of wrong) {
    t.throws(
      () =>
        encode({
          class: 'request',
          method: 1,
          transactionId: TRANSACTION_ID,
          attributes: [attribute],
        }),
      { instanceOf: RangeError },
      attribute.type,
    );
  }
});

const octetsOf = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });
const port = fc.integer({ min: 0, max: 0xffff });
const endpoint = fc.oneof(
  fc.record({ family: fc.constant(4 as const), address: octetsOf(4, 4), port }),
  fc.record({ family: fc.constant(6 as const), address: octetsOf(16, 16), port }),
);
const words = fc.string({ unit: 'grapheme', maxLength: 20 });
const safe = fc.maxSafeNat();
const attributes: fc.Arbitrary<Attribute> = fc.oneof(
  endpoint.map((value): Attribute => ({ type: 'XOR-MAPPED-ADDRESS', value })),
  endpoint.map((value): Attribute => ({ type: 'ALTERNATE-SERVER', value })),
  words.map((value): Attribute => ({ type: 'USERNAME', value })),
  words.map((reason): Attribute => ({ type: 'ERROR-CODE', value: { code: 401, reason } })),
  octetsOf(0, 40).map((value): Attribute => ({ type: 'DATA', value })),
  fc
    .array(port, { maxLength: 9 })
    .map((value): Attribute => ({ type: 'UNKNOWN-ATTRIBUTES', value })),
  fc
    .array(fc.record({ algorithm: port, parameters: octetsOf(0, 9) }), { maxLength: 4 })
    .map((value): Attribute => ({ type: 'PASSWORD-ALGORITHMS', value })),
  fc
    .record({ records: safe, octets: safe, drops: fc.nat() })
    .map((value): Attribute => ({ type: 'TEP-STATS', value })),
  octetsOf(0, 40).map((value): Attribute => ({ type: 'unknown', number: 0xfeed, value })),
);

test('[B5] whatever is encoded is decoded to the same', (t) => {
  fc.assert(
    fc.property(
      fc.array(attributes, { maxLength: 8 }),
      octetsOf(12, 12),
      fc.integer({ min: 0, max: 0xfff }),
      fc.constantFrom('request', 'indication', 'success', 'error'),
      (list, transactionId, method, name) => {
        const parts = { class: name, method, transactionId, attributes: list };
        const message = read(encode(parts, { fingerprint: true }));
        if (typeof message === 'number') throw new Error(`fault ${message}`);
        t.deepEqual(
          {
            class: message.class,
            method: message.method,
            transactionId: message.transactionId,
            attributes: message.attributes,
          },
          parts,
        );
      },
    ),
    { seed: 8489, numRuns: 300 },
  );
});
