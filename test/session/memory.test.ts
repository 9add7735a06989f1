/** A successor of a TEP-C that was killed resumes its tunnel (tep-wire 7; standards G-13, M-15). */
import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import {
  flows,
  isBound,
  LONG_MS,
  newClient,
  newPair,
  RTCP,
  RTP,
  toldAddresses,
} from './scenario.ts';

const LIFETIME_MS = 30_000;

function killed(seed: number) {
  const pair = newPair({ seed });
  const first = newClient(pair);
  first.bind(RTP, { pair: true });
  pair.clock.runUntilTrue(() => isBound(first), LONG_MS);
  const memory = first.end.memory();
  if (memory === undefined) throw new RangeError('no memory');
  first.kill();
  return { pair, first, memory };
}

test('[W-7] the successor has the same public addresses, for RTP and RTCP', (t) => {
  const { pair, first, memory } = killed(1);
  pair.clock.runFor(5_000);
  const next = newClient(pair);
  next.end.resume(memory, pair.clock.now);
  next.pump();
  t.true(pair.clock.runUntilTrue(() => isBound(next), LONG_MS));
  t.deepEqual(toldAddresses(next), toldAddresses(first).slice(0, 1));
  t.true(next.of('opened')[0]?.resumed);
  flows(t, pair, next, [RTP, RTCP]);
  t.is(pair.server.end.tunnels().length, 1);
  t.deepEqual(pair.traffic.wrongs, []);
});

test('[W-7] what it restored ends when nobody uses it, like any first packet’s', (t) => {
  const { pair, memory } = killed(2);
  const next = newClient(pair);
  next.end.resume(memory, pair.clock.now);
  next.pump();
  pair.clock.runFor(2 * LONG_MS);
  t.is(next.of('released').length, 1);
  t.is(next.end.state, 'closed');
  t.is(pair.server.end.tunnels().length, 0);
});

test('[W-7] TEP-S has forgotten it: a new tunnel, the same port if it is free', (t) => {
  const { pair, first, memory } = killed(3);
  pair.clock.runFor(2 * LIFETIME_MS);
  t.is(pair.server.end.tunnels().length, 0);
  const next = newClient(pair);
  next.end.resume(memory, pair.clock.now);
  next.pump();
  t.true(pair.clock.runUntilTrue(() => isBound(next), LONG_MS));
  t.false(next.of('opened')[0]?.resumed);
  t.deepEqual(toldAddresses(next), toldAddresses(first).slice(0, 1));
});

test('[W-7] the memory has what is granted, and nothing before there is a tunnel or after', (t) => {
  const pair = newPair({ seed: 4 });
  const client = newClient(pair);
  t.is(client.end.memory(), undefined);
  client.bind(RTP, { pair: true });
  t.is(client.end.memory(), undefined);
  pair.clock.runUntilTrue(() => client.end.state === 'up', LONG_MS);
  t.deepEqual(client.end.memory()?.bindings, []);
  pair.clock.runUntilTrue(() => isBound(client), LONG_MS);
  const [told] = toldAddresses(client);
  const { token, lifetimeMs, bindings } = client.end.memory() ?? {};
  t.is(token?.length, 16);
  t.is(lifetimeMs, LIFETIME_MS);
  t.is(bindings?.length, 1);
  t.like(bindings?.[0], { ue: RTP, protocol: 17, pair: true });
  t.is(told?.split(':')[1], String(bindings?.[0]?.port));
  client.close();
  pair.clock.runFor(1_000);
  t.is(client.end.memory(), undefined);
});

test('[W-7] a tunnel that is open already is not exchanged for another one', (t) => {
  const { pair, memory } = killed(5);
  const other = newClient(pair, { name: 'bob' });
  other.bind(RTP);
  pair.clock.runUntilTrue(() => isBound(other), LONG_MS);
  const before = toldAddresses(other);
  other.end.resume(memory, pair.clock.now);
  other.pump();
  pair.clock.runFor(1_000);
  t.is(other.end.counters.of(FAULTS.ILLEGAL_EVENT), 1);
  t.deepEqual(toldAddresses(other), before);
});

test('[M-10] somebody else’s memory is worth nothing without his credentials', (t) => {
  const { pair, first, memory } = killed(6);
  const thief = newClient(pair, { name: 'bob', outer: '198.51.100.99' });
  thief.end.resume(memory, pair.clock.now);
  thief.pump();
  pair.clock.runUntilTrue(() => isBound(thief), LONG_MS);
  t.false(thief.of('opened')[0]?.resumed);
  const [own] = toldAddresses(first);
  t.false(toldAddresses(thief).includes(own ?? ''));
  t.true(toldAddresses(thief).every((text) => text.startsWith('198.51.100.99:')));
});
