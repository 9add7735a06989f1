import test from 'ava';
import { type AddressOptions, PublicAddresses } from '../../session/address-modes.ts';
import { type Endpoint, formatAddress, parseEndpoint } from '../../wire/address.ts';
import { type Prefix, parsePrefix } from '../../wire/prefix.ts';

const OUTER = endpoint('198.51.100.7:40000');
const OUTER_SIX = endpoint('[2001:db8::7]:40000');

function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

function pool(...prefixes: string[]): PublicAddresses {
  return new PublicAddresses({ mode: 'pool', prefixes: prefixes.map(prefix) });
}

function dealt(addresses: PublicAddresses, tunnel: number, family: 4 | 6 = 4): string | undefined {
  const address = addresses.addressFor(tunnel, family, OUTER);
  return address && formatAddress(address, 0, address.length);
}

test("[W-5] reflexive: the address is the tunnel's own outer one, of its own family", (t) => {
  const addresses = new PublicAddresses({ mode: 'reflexive' });
  t.deepEqual(addresses.addressFor(1, 4, OUTER), OUTER.address);
  t.is(addresses.addressFor(1, 6, OUTER), undefined);
  t.deepEqual(addresses.addressFor(1, 6, OUTER_SIX), OUTER_SIX.address);
  t.is(addresses.addressFor(1, 4, OUTER_SIX), undefined);
});

test('[W-5] pool: each tunnel has an address of its own and keeps it', (t) => {
  const addresses = pool('192.0.2.0/29');
  t.is(dealt(addresses, 1), '192.0.2.1');
  t.is(dealt(addresses, 2), '192.0.2.2');
  t.is(dealt(addresses, 1), '192.0.2.1');
});

test('[W-5] pool: network, broadcast and subnet-router addresses are left out', (t) => {
  const four = pool('192.0.2.0/29');
  const got = [1, 2, 3, 4, 5, 6].map((tunnel) => dealt(four, tunnel));
  t.is(got.at(-1), '192.0.2.6');
  t.is(new Set(got).size, 6);
  t.is(dealt(pool('2001:db8:5::/64'), 1, 6), '2001:db8:5::1');
  // Too small for such addresses: all are used.
  t.is(dealt(pool('192.0.2.8/31'), 1), '192.0.2.8');
  t.is(dealt(pool('192.0.2.9'), 1), '192.0.2.9');
  t.is(dealt(pool('2001:db8::/127'), 1, 6), '2001:db8::');
});

test('[W-5] pool: a family without a prefix is not to be had', (t) => {
  t.is(dealt(pool('192.0.2.0/29'), 1, 6), undefined);
  t.is(dealt(pool('2001:db8::/64'), 1, 4), undefined);
  const both = pool('192.0.2.0/29', '2001:db8::/64');
  t.is(dealt(both, 1, 4), '192.0.2.1');
  t.is(dealt(both, 1, 6), '2001:db8::1');
});

test('[W-5] pool: several prefixes are dealt one after the other', (t) => {
  const addresses = pool('192.0.2.0/30', '192.0.2.255', '198.51.100.254/31');
  t.deepEqual(
    [1, 2, 3, 4, 5].map((tunnel) => dealt(addresses, tunnel)),
    ['192.0.2.1', '192.0.2.2', '192.0.2.255', '198.51.100.254', '198.51.100.255'],
  );
});

test('[W-5] pool: counting carries over octets', (t) => {
  const addresses = pool('10.1.0.0/16');
  for (let tunnel = 1; tunnel < 256; tunnel++) dealt(addresses, tunnel);
  t.is(dealt(addresses, 256), '10.1.1.0');
  const six = pool('2001:db8::ff00/120', '2001:db8:1::/48');
  for (let tunnel = 1; tunnel < 256; tunnel++) dealt(six, tunnel, 6);
  t.is(dealt(six, 255, 6), '2001:db8::ffff');
  t.is(dealt(six, 256, 6), '2001:db8:1::1');
});

test('[W-5] pool: what was released longest ago is dealt out first, after what never was', (t) => {
  const addresses = pool('192.0.2.0/29');
  for (const tunnel of [1, 2, 3, 4, 5]) dealt(addresses, tunnel);
  addresses.release(2);
  addresses.release(1);
  t.is(dealt(addresses, 6), '192.0.2.6');
  t.is(dealt(addresses, 7), '192.0.2.2');
  t.is(dealt(addresses, 8), '192.0.2.1');
});

test('[W-5] pool: with none left tunnels share in turn, until one is free again', (t) => {
  const addresses = pool('192.0.2.0/30');
  t.deepEqual(
    [1, 2, 3, 4, 5].map((tunnel) => dealt(addresses, tunnel)),
    ['192.0.2.1', '192.0.2.2', '192.0.2.1', '192.0.2.2', '192.0.2.1'],
  );
  addresses.release(2);
  addresses.release(4);
  t.is(dealt(addresses, 6), '192.0.2.2');
  addresses.release(1);
  addresses.release(1);
  t.is(dealt(addresses, 3), '192.0.2.1');
});

test('[W-5] relay: tunnels are spread over the own addresses', (t) => {
  const options: AddressOptions = {
    mode: 'relay',
    prefixes: [prefix('203.0.113.5'), prefix('203.0.113.9'), prefix('2001:db8::9')],
  };
  const addresses = new PublicAddresses(options);
  t.deepEqual(
    [1, 2, 3].map((tunnel) => dealt(addresses, tunnel)),
    ['203.0.113.5', '203.0.113.9', '203.0.113.5'],
  );
  t.is(dealt(addresses, 1, 6), '2001:db8::9');
});

test('[W-5] the caller may keep or change the address it was given', (t) => {
  const addresses = pool('192.0.2.0/29');
  addresses.addressFor(1, 4, OUTER)?.fill(0);
  t.is(dealt(addresses, 1), '192.0.2.1');
  t.is(dealt(pool('192.0.2.9'), 1), '192.0.2.9');
});
