import test from 'ava';
import {
  encodeProxyHeader,
  MAX_PROXY_HEADER_LEN,
  readProxyHeader,
} from '../../framing/proxy-protocol.ts';
import { formatEndpoint, parseEndpoint } from '../../wire/address.ts';
import { FAULTS } from '../../wire/faults.ts';
import { hex } from '../wire/packets.ts';
import { standingTests } from '../wire/standing.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';

/** The header, and who connected; `-` where the connection is the balancer's own. */
const VECTORS: readonly (readonly [Uint8Array, string])[] = [
  [line('PROXY TCP4 192.0.2.1 198.51.100.7 56324 80'), '192.0.2.1:56324'],
  [line('PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535'), '255.255.255.255:65535'],
  [line('PROXY TCP6 2001:db8::1 2001:db8::2 4660 443'), '[2001:db8::1]:4660'],
  [line('PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 4660 443'), '192.0.2.1:4660'],
  [line('PROXY UNKNOWN'), '-'],
  [line('PROXY UNKNOWN ffff::1 ffff::2 65535 65535'), '-'],
  [hex(`${SIGNATURE}21 11 000c c0000201 c6336407 dc04 0050`), '192.0.2.1:56324'],
  [hex(`${SIGNATURE}21 11 0013 c0000201 c6336407 dc04 0050 04 0004 00000000`), '192.0.2.1:56324'],
  [
    hex(
      `${SIGNATURE}21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 1234 01bb`,
    ),
    '[2001:db8::1]:4660',
  ],
  [hex(`${SIGNATURE}20 00 0000`), '-'],
  [hex(`${SIGNATURE}20 11 000c c0000201 c6336407 dc04 0050`), '-'],
  [hex(`${SIGNATURE}21 00 0003 010203`), '-'],
  [hex(`${SIGNATURE}21 31 00d8 ${'2f'.repeat(216)}`), '-'],
];

const BAD: readonly Uint8Array[] = [
  line('PROXY TCP4 192.0.2.1 198.51.100.7 56324'),
  line('PROXY TCP4 192.0.2.1 198.51.100.7 056 80'),
  line('PROXY TCP4 192.0.2.1 198.51.100.7 65536 80'),
  line('PROXY TCP4 192.0.2.1  198.51.100.7 56324 80'),
  line('PROXY TCP4 192.0.2.256 198.51.100.7 56324 80'),
  line('PROXY TCP4 2001:db8::1 2001:db8::2 56324 80'),
  line('PROXY TCP6 192.0.2.1 198.51.100.7 56324 80'),
  line('PROXY UDP4 192.0.2.1 198.51.100.7 56324 80'),
  line('proxy TCP4 192.0.2.1 198.51.100.7 56324 80'),
  line('PROXY UNKNOWNx'),
  Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.7 56324 80\n', 'latin1'),
  Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.7 56324 80\r\r\n', 'latin1'),
  Buffer.from('GET / HTTP/1.1\r\n', 'latin1'),
  hex('000100002112a442'),
  hex(`${SIGNATURE}11 11 000c c0000201 c6336407 dc04 0050`),
  hex(`${SIGNATURE}22 11 000c c0000201 c6336407 dc04 0050`),
  hex(`${SIGNATURE}21 12 000c c0000201 c6336407 dc04 0050`),
  hex(`${SIGNATURE}21 41 000c c0000201 c6336407 dc04 0050`),
  hex(`${SIGNATURE}21 11 000b c0000201 c6336407 dc04 00`),
  hex(`${SIGNATURE}21 21 000c c0000201 c6336407 dc04 0050`),
];

function line(text: string): Uint8Array {
  return Buffer.from(`${text}\r\n`, 'latin1');
}

function read(b: Uint8Array) {
  return readProxyHeader(b, 0, b.length);
}

function told(b: Uint8Array): string {
  const header = read(b);
  if (typeof header !== 'object') return String(header);
  return header.source === undefined ? '-' : formatEndpoint(header.source);
}

standingTests(
  'PROXY header',
  VECTORS.map(([octets]) => octets),
  (b, at, end) => {
    const header = readProxyHeader(b, at, end);
    if (header === 'need-more') return FAULTS.FRAME_TYPE;
    return typeof header === 'object' ? 0 : header;
  },
  (b, at, end) => readProxyHeader(b, at, end),
);

test('[W-1] PROXY headers of both versions: who connected', (t) => {
  for (const [octets, source] of VECTORS) {
    t.is(told(octets), source);
    t.like(read(octets), { length: octets.length });
    t.like(read(Buffer.concat([octets, hex('000100002112a442')])), { length: octets.length });
  }
});

test('[W-1] PROXY: every prefix of a header waits for more', (t) => {
  for (const [octets] of VECTORS) {
    for (let n = 0; n < octets.length; n++) t.is(read(octets.subarray(0, n)), 'need-more');
  }
});

test('[W-1] PROXY: what is no header is bad, never waited for', (t) => {
  for (const octets of BAD) {
    t.is(read(octets), FAULTS.PROXY_HEADER, Buffer.from(octets).toString('latin1'));
  }
});

test('PROXY: a line of 107 octets is the longest; nothing is waited for beyond it', (t) => {
  const longest = line(`PROXY UNKNOWN ${'x'.repeat(91)}`);
  t.is(longest.length, 107);
  t.is(told(longest), '-');
  t.is(read(longest.subarray(0, 106)), 'need-more');
  t.is(read(line(`PROXY UNKNOWN ${'x'.repeat(92)}`)), FAULTS.PROXY_HEADER);
  t.is(read(Buffer.from(`PROXY ${'x'.repeat(101)}`)), FAULTS.PROXY_HEADER);
});

test('PROXY: a binary header over its limit is refused before it is waited for', (t) => {
  const of = (length: number) =>
    hex(`${SIGNATURE}2111${(length - 16).toString(16).padStart(4, '0')}c0000201c6336407dc040050`);
  t.is(read(of(MAX_PROXY_HEADER_LEN)), 'need-more');
  t.is(read(of(MAX_PROXY_HEADER_LEN + 1)), FAULTS.PROXY_HEADER);
});

test('PROXY: what is written is read again', (t) => {
  for (const [from, to] of [
    ['192.0.2.1:56324', '198.51.100.7:80'],
    ['[2001:db8::1]:4660', '[2001:db8::2]:443'],
  ] as const) {
    const source = parseEndpoint(from);
    const destination = parseEndpoint(to);
    if (source === undefined || destination === undefined) throw new Error('not endpoints');
    t.is(told(encodeProxyHeader(source, destination)), from);
  }
  t.deepEqual(
    Buffer.from(VECTORS[6]?.[0] ?? []),
    Buffer.from(
      encodeProxyHeader(
        parseEndpoint('192.0.2.1:56324') ?? t.fail(),
        parseEndpoint('198.51.100.7:80') ?? t.fail(),
      ),
    ),
  );
  const mixed = () =>
    encodeProxyHeader(
      parseEndpoint('192.0.2.1:1') ?? t.fail(),
      parseEndpoint('[::1]:1') ?? t.fail(),
    );
  t.throws(mixed, { instanceOf: RangeError });
});
