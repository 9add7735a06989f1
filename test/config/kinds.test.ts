import test from 'ava';
import * as net from '../../config/address-kinds.ts';
import type { Kind } from '../../config/key.ts';
import * as kinds from '../../config/kinds.ts';
import { formatEndpoint } from '../../wire/address.ts';
import { formatPrefix } from '../../wire/prefix.ts';

const PLACE = { folder: '/', warn: () => {} };

function meaningOf<T>(kind: Kind<T>, text: string): T | 'wrong' {
  const read = kind.read(text, PLACE);
  return 'value' in read ? read.value : 'wrong';
}

/** For each kind: texts, what they mean, and texts that mean nothing. */
const CASES: ReadonlyArray<
  readonly [string, Kind<unknown>, Readonly<Record<string, unknown>>, string[]]
> = [
  ['text', kinds.text('X'), { a: 'a', ' a b': ' a b' }, ['']],
  [
    'number',
    kinds.number(1, 8),
    { 1: 1, 8: 8 },
    ['0', '9', '1.5', '', 'x', '-1', '1e0', '0x1', ' 1'],
  ],
  ['hexadecimal', kinds.hexadecimal(1, 255), { 255: 255, '0xFF': 255 }, ['0x100', '0', '0x', 'ff']],
  [
    'amount',
    kinds.amount(1, 5e9),
    { 5: 5, '64k': 64_000, '1.005k': 1_005, '1.5M': 1_500_000, '5G': 5e9 },
    ['6G', '0', '1K', 'k', '1 k', '-1', '1e3', '1.5', '1.0005k'],
  ],
  [
    'duration',
    kinds.duration('1s', '1h'),
    { '1s': 1_000, '1500ms': 1_500, '1.5m': 90_000, '1h': 3_600_000 },
    ['999ms', '2h', '10', 's', '10 s', '1d', '-1s', '1e1s', ''],
  ],
  [
    'flag',
    kinds.flag,
    { true: true, yes: true, On: true, no: false, FALSE: false },
    ['1', '0', ''],
  ],
  ['choice', kinds.choice('auto', 'never'), { auto: 'auto' }, ['Auto', 'nevr', '']],
  [
    'portRange',
    net.portRange,
    { '1-2': { first: 1, last: 2 }, 80: { first: 80, last: 80 } },
    ['0', '2-1', '1-65536', '-', '1-', 'a'],
  ],
  [
    'server',
    net.server,
    {
      'tep.example': { host: 'tep.example', port: 80, tls: false },
      'tep.example:8080': { host: 'tep.example', port: 8_080, tls: false },
      'tcp://192.0.2.1': { host: '192.0.2.1', port: 80, tls: false },
      'tls://a': { host: 'a', port: 443, tls: true },
      'tls://[2001:db8::1]:444': { host: '2001:db8::1', port: 444, tls: true },
      '2001:db8::1': { host: '2001:db8::1', port: 80, tls: false },
    },
    [
      '',
      'http://a',
      'a:0',
      'a:65536',
      'a:b',
      '1.2.3',
      '256.0.0.1',
      'a b',
      'tls://',
      '[::1',
      'a/b',
      '-a',
      '[a]:80',
      'tls://a:',
    ],
  ],
  [
    'proxy',
    net.proxy,
    {
      'http://p:3128': { host: 'p', port: 3_128 },
      'http://u%40d@[2001:db8::1]:8080/': { host: '2001:db8::1', port: 8_080, user: 'u@d' },
    },
    ['http://u:secret@p:1', 'https://p:1', 'socks5://p:1', 'http://p:0', 'http://p:1/path', ''],
  ],
  [
    'headerLine',
    net.headerLine,
    { 'A: b c': 'A: b c', 'User-Agent:x': 'User-Agent:x' },
    ['A', 'A: ', 'A b: c', 'A: b\r\nC: d', 'A: ü', ': x'],
  ],
  ['listenAddress', net.listenAddress, { systemd: 'systemd' }, ['80', ':80', 'name:80', '[::]']],
  ['endpoint', net.endpoint, {}, ['192.0.2.1', '192.0.2.1:0', '[::1]', 'a:1']],
  ['prefix', net.prefix, {}, ['10.0.0.1/8', '10.0.0.0/33', 'a', '']],
  [
    'mediaRule',
    net.mediaRule,
    {},
    [
      '10.0.0.1/8',
      'host:80',
      '10.0.0.0/8:0',
      '10.0.0.0/8/sctp',
      '2001:db8::1:80/udp/x',
      '[10.0.0.0',
      '[::1]:',
      '10.0.0.0/8:2-1',
      '',
    ],
  ],
  [
    'staticBinding',
    net.staticBinding,
    {},
    ['10.0.0.2', '10.0.0.2:0', '10.0.0.2:4001+', '10.0.0.2:4000/sctp', '10.0.0.2:4000++', ''],
  ],
  [
    'socketMap',
    net.socketMap,
    {},
    [
      '127.0.0.1:1',
      '127.0.0.1:1=',
      '=1.1.1.1:1',
      '127.0.0.1:1=1.1.1.1:0',
      '127.0.0.1:1=[::1]:1',
      'a=b',
      '1.1.1.1:1=1.1.1.1:1=1.1.1.1:1',
    ],
  ],
];

for (const [name, kind, right, wrong] of CASES) {
  test(`${name}: what is right and what is not`, (t) => {
    for (const [text, value] of Object.entries(right))
      t.deepEqual(meaningOf(kind, text), value, text);
    for (const text of wrong) t.is(meaningOf(kind, text), 'wrong', text);
  });
}

test('addresses, prefixes and ports keep what was written', (t) => {
  const at = meaningOf(net.listenAddress, '[::]:0');
  t.true(at !== 'wrong' && at !== 'systemd' && formatEndpoint(at) === '[::]:0');
  const prefix = meaningOf(net.prefix, '2001:db8::/32');
  t.true(prefix !== 'wrong' && formatPrefix(prefix) === '2001:db8::/32');
  const rules = [
    '203.0.113.9:30000-40000/udp',
    '[2001:db8::]/32:5004',
    '2001:db8::/32/tcp',
    '10.0.0.0/8',
  ];
  t.deepEqual(
    rules.map((text) => {
      const rule = meaningOf(net.mediaRule, text);
      if (rule === 'wrong') return rule;
      return [formatPrefix(rule.prefix), rule.ports.first, rule.ports.last, rule.protocol];
    }),
    [
      ['203.0.113.9/32', 30_000, 40_000, 17],
      ['2001:db8::/32', 5_004, 5_004, undefined],
      ['2001:db8::/32', 1, 65_535, 6],
      ['10.0.0.0/8', 1, 65_535, undefined],
    ],
  );
  const binding = meaningOf(net.staticBinding, '10.0.0.2:4000+');
  t.like(binding, { pair: true, protocol: 17 });
  t.like(meaningOf(net.staticBinding, '[2001:db8::2]:4001/tcp'), { pair: false, protocol: 6 });
  const map = meaningOf(net.socketMap, '127.0.0.1:4000=203.0.113.9:30000');
  t.true(map !== 'wrong' && formatEndpoint(map.media) === '203.0.113.9:30000');
});
