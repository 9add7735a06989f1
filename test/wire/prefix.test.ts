import test from 'ava';
import { parseAddress } from '../../wire/address.ts';
import { formatPrefix, parsePrefix, prefixContains } from '../../wire/prefix.ts';
import { poisoned } from './packets.ts';

function contains(prefixText: string, addressText: string): boolean {
  const prefix = parsePrefix(prefixText);
  const address = parseAddress(addressText);
  if (prefix === undefined || address === undefined) throw new RangeError('bad test');
  const { b, at } = poisoned(address);
  return prefixContains(prefix, b, at, address.length);
}

test('an address is inside or outside, to the bit', (t) => {
  for (const [prefix, address, inside] of [
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '9.255.255.255', false],
    ['192.0.2.128/25', '192.0.2.128', true],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.6/31', '192.0.2.7', true],
    ['192.0.2.6/31', '192.0.2.8', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['::/0', '2001:db8::1', true],
    ['2001:db8::/33', '2001:db8:7fff::', true],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['2001:db8::1', '2001:db8::1', true],
    ['2001:db8::1/128', '2001:db8::3', false],
    // Families never match each other, not even in disguise.
    ['0.0.0.0/0', '::ffff:192.0.2.1', false],
    ['::/0', '192.0.2.1', false],
  ] as const) {
    t.is(contains(prefix, address), inside, `${address} in ${prefix}`);
  }
});

test('the written form; a single address is a prefix of all its bits', (t) => {
  for (const [text, written] of [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['192.0.2.1', '192.0.2.1/32'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
  ] as const) {
    const prefix = parsePrefix(text);
    t.is(prefix && formatPrefix(prefix), written);
  }
});

test('what is no prefix, and what means more than it says, is refused', (t) => {
  for (const bad of [
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/8 ',
    '10.0.0.1/8',
    '192.0.2.129/25',
    '10/8',
    '2001:db8::/129',
    '2001:db8::1/64',
    '2001:db8::1/127',
    '::/999',
  ]) {
    t.is(parsePrefix(bad), undefined, bad);
  }
});
