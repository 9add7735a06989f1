import test from 'ava';
import { Crowd } from '../../tep-server/crowd.ts';
import { type Endpoint, parseEndpoint } from '../../wire/address.ts';

function peer(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

function enter(crowd: Crowd, text: string) {
  const place = crowd.enter();
  return { place, isIn: place?.name(peer(text)) ?? false };
}

test('[G-22] so many connections in all, authenticated ones too', (t) => {
  const crowd = new Crowd({ connections: 2, connectionsPerAddress: 9 });
  const first = crowd.enter();
  crowd.enter()?.authenticated();
  t.is(crowd.enter(), undefined);
  if (first === undefined) return t.fail();
  crowd.leave(first);
  t.not(crowd.enter(), undefined);
});

test('[G-22] so many of one address until they are authenticated', (t) => {
  const crowd = new Crowd({ connections: 99, connectionsPerAddress: 2 });
  const first = enter(crowd, '192.0.2.1:1');
  t.true(first.isIn);
  t.true(enter(crowd, '192.0.2.1:2').isIn);
  t.true(enter(crowd, '192.0.2.2:1').isIn);
  const third = enter(crowd, '192.0.2.1:3');
  t.false(third.isIn);
  t.is(crowd.unauthenticated, 3);
  first.place?.authenticated();
  first.place?.authenticated();
  t.is(crowd.unauthenticated, 2);
  t.true(enter(crowd, '192.0.2.1:3').isIn);
  // Neither who was refused nor who is authenticated gives room when he leaves.
  if (third.place) crowd.leave(third.place);
  if (first.place) crowd.leave(first.place);
  t.false(enter(crowd, '192.0.2.1:4').isIn);
});

test('[G-22] an IPv6 customer is his /64', (t) => {
  const crowd = new Crowd({ connections: 99, connectionsPerAddress: 1 });
  t.true(enter(crowd, '[2001:db8:1:2::1]:1').isIn);
  t.false(enter(crowd, '[2001:db8:1:2:ffff::9]:1').isIn);
  t.true(enter(crowd, '[2001:db8:1:3::1]:1').isIn);
});

test('other limits hold for who comes; nobody is sent away', (t) => {
  const crowd = new Crowd({ connections: 5, connectionsPerAddress: 5 });
  const places = [1, 2, 3].map((port) => enter(crowd, `192.0.2.1:${port}`));
  crowd.limit({ connections: 4, connectionsPerAddress: 1 });
  t.false(enter(crowd, '192.0.2.1:9').isIn);
  t.is(crowd.enter(), undefined);
  for (const { place } of places) if (place) crowd.leave(place);
  t.true(enter(crowd, '192.0.2.1:9').isIn);
  t.is(crowd.unauthenticated, 1);
});
