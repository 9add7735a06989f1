import { isIPv4, isIPv6 } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import {
  formatAddress,
  formatEndpoint,
  parseAddress,
  parseEndpoint,
  sameEndpoint,
} from '../../wire/address.ts';
import { hex, poisoned } from './packets.ts';

const SEED = { seed: 20_261_121 };

function formatted(text: string): string {
  const { b, at } = poisoned(hex(text));
  return formatAddress(b, at, hex(text).length);
}

test('IPv4 text: four decimal numbers, nothing else', (t) => {
  t.deepEqual(parseAddress('192.0.2.1'), hex('c0000201'));
  t.deepEqual(parseAddress('0.0.0.0'), hex('00000000'));
  t.deepEqual(parseAddress('255.255.255.255'), hex('ffffffff'));
  for (const bad of [
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '256.0.0.1',
    '1.2.3.04',
    '01.2.3.4',
    '0x1.2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '+1.2.3.4',
    '1.2.3.1e1',
    '1.2.3.4/8',
    '٣.2.3.4',
  ]) {
    t.is(parseAddress(bad), undefined, bad);
  }
});

test('[RFC4291] IPv6 text in every form', (t) => {
  for (const [text, octets] of [
    ['::', '00000000 00000000 00000000 00000000'],
    ['::1', '00000000 00000000 00000000 00000001'],
    ['1::', '00010000 00000000 00000000 00000000'],
    ['2001:DB8:0:0:8:800:200C:417A', '20010db8 00000000 00080800 200c417a'],
    ['2001:db8::8:800:200c:417a', '20010db8 00000000 00080800 200c417a'],
    ['1:2:3:4:5:6:7::', '00010002 00030004 00050006 00070000'],
    ['::2:3:4:5:6:7:8', '00000002 00030004 00050006 00070008'],
    ['::ffff:192.0.2.1', '00000000 00000000 0000ffff c0000201'],
    ['64:ff9b::192.0.2.33', '0064ff9b 00000000 00000000 c0000221'],
    ['1:2:3:4:5:6:192.0.2.1', '00010002 00030004 00050006 c0000201'],
    ['::192.0.2.1', '00000000 00000000 00000000 c0000201'],
  ] as const) {
    t.deepEqual(parseAddress(text), hex(octets), text);
  }
  for (const bad of [
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '1:2:3:4::5:6:7:8',
    '12345::',
    'g::',
    '::1%eth0',
    '[::1]',
    '1:',
    ':1',
    '1:2:3:4:5:6:7:192.0.2.1',
    '192.0.2.1::',
    '::192.0.2.1:1',
    '::192.0.2',
    '::192.0.2.256',
    '::01.2.3.4',
    ' ::1',
    '::1\n',
    `${'0000:'.repeat(7)}0000000000000001`,
  ]) {
    t.is(parseAddress(bad), undefined, bad);
  }
});

test('[RFC5952] the written form', (t) => {
  for (const [octets, text] of [
    ['c0000201', '192.0.2.1'],
    ['00000000 00000000 00000000 00000000', '::'],
    ['00000000 00000000 00000000 00000001', '::1'],
    ['20010db8 00000000 00000000 00000001', '2001:db8::1'],
    // 4.2.2: a single zero group is not shortened.
    ['20010db8 00000001 00010001 00010001', '2001:db8:0:1:1:1:1:1'],
    // 4.2.3: the longest run, and of equals the first.
    ['20010000 00000001 00000000 00000001', '2001:0:0:1::1'],
    ['20010db8 00000000 00010000 00000001', '2001:db8::1:0:0:1'],
    ['fe800000 00000000 00000000 00000000', 'fe80::'],
    ['0abcdef0 12345678 9abcdef0 12345678', 'abc:def0:1234:5678:9abc:def0:1234:5678'],
    // 5: prefixes that are known to hold an IPv4 address.
    ['00000000 00000000 0000ffff c0000201', '::ffff:192.0.2.1'],
    ['0064ff9b 00000000 00000000 c0000221', '64:ff9b::192.0.2.33'],
    ['00000000 00000000 00000000 c0000201', '::c000:201'],
  ] as const) {
    t.is(formatted(octets), text);
  }
  t.throws(() => formatAddress(new Uint8Array(8), 0, 5), { instanceOf: RangeError });
});

test('what is written is read back, and other readers agree that it is an address', (t) => {
  const sparse = fc.array(fc.constantFrom(0, 0, 0, 1, 0xff, 0xa0), {
    minLength: 16,
    maxLength: 16,
  });
  const property = fc.property(sparse, fc.constantFrom(4, 16), (list, n) => {
    const octets = Uint8Array.from(list).subarray(0, n);
    const text = formatAddress(octets, 0, n);
    const agreed = n === 4 ? isIPv4(text) : isIPv6(text);
    return agreed && Buffer.from(octets).equals(parseAddress(text) ?? new Uint8Array(0));
  });
  t.notThrows(() => fc.assert(property, { ...SEED, numRuns: 1_000 }));
});

test('the reader accepts nothing that another strict reader refuses', (t) => {
  const characters = fc.constantFrom(...'0123456789abcdefF:.:::...');
  const texts = fc.string({ unit: characters, maxLength: 46 });
  const property = fc.property(texts, (text) => {
    const octets = parseAddress(text);
    return octets === undefined || (octets.length === 4 ? isIPv4(text) : isIPv6(text));
  });
  t.notThrows(() => fc.assert(property, { ...SEED, numRuns: 20_000 }));
});

test('endpoints', (t) => {
  t.deepEqual(parseEndpoint('192.0.2.1:80'), { family: 4, address: hex('c0000201'), port: 80 });
  t.like(parseEndpoint('[2001:db8::1]:65535'), { family: 6, port: 65_535 });
  t.like(parseEndpoint('192.0.2.1:0'), { port: 0 });
  for (const text of ['192.0.2.1:80', '[2001:db8::1]:443', '[::ffff:192.0.2.1]:1']) {
    const endpoint = parseEndpoint(text);
    t.is(endpoint && formatEndpoint(endpoint), text);
  }
  for (const bad of [
    '192.0.2.1',
    '192.0.2.1:',
    '192.0.2.1:65536',
    '192.0.2.1:080',
    '192.0.2.1:-1',
    '[192.0.2.1]:80',
    '2001:db8::1:80',
    '[2001:db8::1]',
    '[2001:db8::1]80',
    '[::1%1]:80',
    'host:80',
    '192.0.2.1:80 ',
    '192.0.2.1:99999999999999999999',
  ]) {
    t.is(parseEndpoint(bad), undefined, bad);
  }
});

test('endpoints are the same by port, family and every octet of the address', (t) => {
  const at = (text: string) => {
    const endpoint = parseEndpoint(text);
    if (endpoint === undefined) throw new RangeError(text);
    return endpoint;
  };
  const texts = [
    '192.0.2.1:80',
    '192.0.2.1:81',
    '192.0.2.2:80',
    '[c000:201::]:80',
    '[::c000:201]:80',
  ];
  for (const a of texts) {
    for (const b of texts) t.is(sameEndpoint(at(a), at(b)), a === b, `${a} ${b}`);
  }
});
