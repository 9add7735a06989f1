import test from 'ava';
import { countedHost } from '../../session/counted-host.ts';
import { parseAddress } from '../../wire/address.ts';

function counted(text: string): string {
  return countedHost(parseAddress(text) ?? new Uint8Array(0));
}

test('[G-22] an IPv4 address is a host, of IPv6 a /64 is', (t) => {
  t.is(counted('192.0.2.1'), '192.0.2.1');
  t.not(counted('192.0.2.1'), counted('192.0.2.2'));
  t.is(counted('2001:db8:1:2::1'), counted('2001:db8:1:2:ffff:ffff:ffff:ffff'));
  t.not(counted('2001:db8:1:2::1'), counted('2001:db8:1:3::1'));
});

test('the address itself stays as it was', (t) => {
  const address = parseAddress('2001:db8::1') ?? new Uint8Array(0);
  countedHost(address);
  t.is(address[15], 1);
});
