import test from 'ava';
import { formatAddress, parseAddress } from '../../wire/address.ts';
import { isDisguise, isSpecial, KINDS, reach } from '../../wire/disguise.ts';
import { hex, poisoned } from './packets.ts';
import { generator } from './standing.ts';

/** Name of the kind, with what stands behind when it is a disguise. */
function reached(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) throw new RangeError('bad test');
  const { b, at } = poisoned(address);
  const out = new Uint8Array(4);
  const kind = reach(b, at, address.length, out);
  const name = Object.entries(KINDS).find(([, number]) => number === kind)?.[0] ?? '';
  const behind = out.some((octet) => octet !== 0) ? ` ${formatAddress(out, 0, 4)}` : '';
  return `${name}${behind}`;
}

for (const [text, wanted] of [
  ['192.0.2.1', 'ORDINARY'],
  ['10.0.0.1', 'ORDINARY'],
  ['223.255.255.255', 'ORDINARY'],
  ['0.0.0.0', 'UNSPECIFIED'],
  ['0.1.2.3', 'UNSPECIFIED'],
  ['127.0.0.1', 'LOOPBACK'],
  ['127.255.255.255', 'LOOPBACK'],
  ['126.255.255.255', 'ORDINARY'],
  ['169.254.169.254', 'LINK_LOCAL'],
  ['169.253.0.1', 'ORDINARY'],
  ['224.0.0.1', 'MULTICAST'],
  ['239.255.255.255', 'MULTICAST'],
  ['240.0.0.1', 'RESERVED'],
  ['255.255.255.254', 'RESERVED'],
  ['255.255.255.255', 'BROADCAST'],
  ['2001:db8::1', 'ORDINARY'],
  ['fd00::7', 'ORDINARY'],
  ['::', 'UNSPECIFIED'],
  ['::1', 'LOOPBACK'],
  ['::2', 'COMPATIBLE 0.0.0.2'],
  ['::127.0.0.1', 'COMPATIBLE 127.0.0.1'],
  ['::ffff:127.0.0.1', 'MAPPED 127.0.0.1'],
  ['::ffff:0:192.0.2.1', 'TRANSLATED 192.0.2.1'],
  ['::1:0:0', 'RESERVED'],
  ['0:0:1::', 'RESERVED'],
  ['2002:7f00:1::1', 'SIX_TO_FOUR 127.0.0.1'],
  ['2002:c000:0201:abcd::', 'SIX_TO_FOUR 192.0.2.1'],
  ['2003::', 'ORDINARY'],
  ['64:ff9b::192.0.2.33', 'NAT64 192.0.2.33'],
  ['64:ff9b:0:1::1', 'RESERVED'],
  ['64:ff9b:1:c000:2:2100::', 'NAT64_LOCAL'],
  ['64:ff9c::192.0.2.33', 'ORDINARY'],
  // RFC 4380 section 4: server 65.54.227.120, client 192.0.2.45 with every bit turned.
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'TEREDO 192.0.2.45'],
  ['2001:1::1', 'ORDINARY'],
  ['2001:db8::5efe:10.1.2.3', 'ISATAP 10.1.2.3'],
  ['2001:db8::200:5efe:192.0.2.1', 'ISATAP 192.0.2.1'],
  ['2001:db8::100:5efe:192.0.2.1', 'ORDINARY'],
  ['fe80::1', 'LINK_LOCAL'],
  ['fe80::5efe:10.1.2.3', 'LINK_LOCAL'],
  ['febf:ffff::', 'LINK_LOCAL'],
  ['fec0::1', 'RESERVED'],
  ['fe7f::1', 'ORDINARY'],
  ['ff02::1', 'MULTICAST'],
] as const) {
  test(`[W-6] ${text} reaches ${wanted}`, (t) => {
    t.is(reached(text), wanted);
  });
}

test('[W-6] what is a disguise and what is special', (t) => {
  t.deepEqual(
    Object.entries(KINDS)
      .filter(([, kind]) => isDisguise(kind))
      .map(([name]) => name),
    [
      'MAPPED',
      'TRANSLATED',
      'COMPATIBLE',
      'SIX_TO_FOUR',
      'TEREDO',
      'ISATAP',
      'NAT64',
      'NAT64_LOCAL',
    ],
  );
  t.deepEqual(
    Object.entries(KINDS)
      .filter(([, kind]) => isSpecial(kind))
      .map(([name]) => name),
    ['UNSPECIFIED', 'LOOPBACK', 'LINK_LOCAL', 'MULTICAST', 'BROADCAST', 'RESERVED'],
  );
});

test('our own mistake: an address of neither length', (t) => {
  t.throws(() => reach(new Uint8Array(5), 0, 5, new Uint8Array(4)), { instanceOf: RangeError });
});

test('[W-6] random addresses: an IPv4 address is never a disguise, nothing else is written', (t) => {
  const random = generator(7);
  const out = new Uint8Array(6).fill(0xa5);
  for (let i = 0; i < 10_000; i++) {
    const { b, at } = poisoned(
      Uint8Array.from({ length: 16 }, () => random(256) * (random(3) & 1)),
    );
    const before = Uint8Array.from(b);
    const kind = reach(b, at, 16, out);
    if (isDisguise(kind) && isDisguise(reach(out, 0, 4, out))) t.fail();
    if (!Buffer.from(before).equals(b)) t.fail('wrote');
  }
  t.deepEqual(out.slice(4), hex('a5a5'));
});
