/** What one user cannot do to TEP-S and to others: rates, own addresses, time before authentication. */
import test from 'ava';
import { Policy } from '../../session/policy.ts';
import type { Endpoint } from '../../wire/address.ts';
import { FAULTS } from '../../wire/faults.ts';
import { type Prefix, parsePrefix } from '../../wire/prefix.ts';
import { find } from '../../wire/stun/message.ts';
import { endpoint, pool, relay, udpPacket } from './direct.ts';
import { OPEN, type RawConnection, RawServer } from './raw.ts';

const CORE = endpoint('198.51.100.9:30000');
const ANY = { type: 'TEP-BINDING', value: { port: 0, flags: 0, protocol: 17 } } as const;

function bound(c: RawConnection): Endpoint {
  const granted = c.ask([ANY]);
  const address = granted && find(granted, 'XOR-MAPPED-ADDRESS');
  if (address === undefined) throw new Error('not bound');
  return address;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

function everywhere(): Policy {
  const rules = ['0.0.0.0/0', '::/0'].map((text) => ({
    prefix: prefix(text),
    ports: { first: 1, last: 65_535 },
  }));
  return new Policy({ rules, maxPinholes: 1, seed: new Uint8Array(8) });
}

test('[W-5] packets a second: one budget for all tunnels of a user, each way', (t) => {
  const raw = new RawServer({ quota: { packetsPerSecond: 10 } });
  const [one, two] = [raw.connection(1), raw.connection(2)];
  one.open();
  two.open();
  const [first, second] = [bound(one), bound(two)];
  for (let i = 0; i < 6; i++) one.send(udpPacket(first, CORE));
  for (let i = 0; i < 6; i++) two.send(udpPacket(second, CORE));
  t.is(raw.toCore.length, 10);
  t.is(raw.server.counters.of(FAULTS.QUOTA_RATE), 2);
  for (let i = 0; i < 12; i++) {
    const down = udpPacket(CORE, i % 2 === 0 ? first : second);
    t.is(raw.server.packet(down, 0, down.length, raw.now), i < 10 ? 0 : FAULTS.QUOTA_RATE);
  }
  t.is(raw.server.counters.of(FAULTS.QUOTA_RATE), 4);
  raw.now += 100;
  one.send(udpPacket(first, CORE));
  t.is(raw.toCore.length, 11);
});

test('[W-5] bits a second; a limit that is set later holds for open tunnels', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  const address = bound(c);
  for (let i = 0; i < 100; i++) c.send(udpPacket(address, CORE, 972));
  t.is(raw.toCore.length, 100);
  raw.server.limit({ quota: { bitsPerSecond: 800_000 } });
  for (let i = 0; i < 200; i++) c.send(udpPacket(address, CORE, 972));
  t.is(raw.toCore.length, 200);
  raw.server.limit({});
  for (let i = 0; i < 200; i++) c.send(udpPacket(address, CORE, 972));
  t.is(raw.toCore.length, 400);
});

test('[G-22] public ports of others are no destination, whatever the rules say', (t) => {
  for (const addresses of [relay('203.0.113.9/32'), pool('203.0.113.0/24')]) {
    const raw = new RawServer({ addresses, policy: everywhere() });
    const [eve, alice] = [raw.connection(1), raw.connection(2)];
    eve.open();
    alice.open();
    const [hers, its] = [eve, alice].map((c) => {
      c.ask([ANY]);
      for (const { id } of raw.told('listen')) raw.server.listening(id, raw.now);
      c.read();
      return raw.told('bound').at(-1)?.address ?? CORE;
    });
    if (hers === undefined || its === undefined) throw new Error('not bound');
    eve.send(udpPacket(hers, its));
    t.is(raw.toCore.length, 0);
    t.is(raw.server.counters.of(FAULTS.DESTINATION_OWN), 1, addresses.mode);
    eve.send(udpPacket(hers, { ...its, port: 1024 }));
    t.is(raw.toCore.length, addresses.mode === 'relay' ? 1 : 0);
    eve.send(udpPacket(hers, CORE));
    t.is(raw.toCore.length, addresses.mode === 'relay' ? 2 : 1);
  }
});

test('[G-22] a disguise of a public port is no way to it either', (t) => {
  const raw = new RawServer({
    addresses: pool('203.0.113.0/24', '2001:db8:a::/64'),
    policy: everywhere(),
  });
  const c = raw.connection(1);
  c.open();
  const six = c.ask([ANY, { type: 'REQUESTED-ADDRESS-FAMILY', value: 6 }]);
  const source = six && find(six, 'XOR-MAPPED-ADDRESS');
  if (source === undefined) return t.fail();
  c.send(udpPacket(source, endpoint('[64:ff9b::203.0.113.9]:5000')));
  t.is(raw.toCore.length, 0);
  t.is(raw.server.counters.of(FAULTS.DESTINATION_OWN), 1);
  c.send(udpPacket(source, endpoint('[64:ff9b::198.51.100.9]:5000')));
  t.is(raw.toCore.length, 1);
});

test('[W-2] the agent says by when a connection has to be authenticated', (t) => {
  const raw = new RawServer();
  raw.server.accepted(1, endpoint('192.0.2.9:41001'), raw.now, raw.now + 3_000);
  t.is(raw.server.nextTimeout(), raw.now + 3_000);
  raw.now += 3_000;
  raw.server.timeout(raw.now);
  t.like(raw.told('close')[0], { conn: 1, fault: FAULTS.TRANSACTION_TIMEOUT });
  const c = raw.connection(2);
  t.not(c.ask([OPEN]), undefined);
  raw.now += 15_000;
  raw.server.timeout(raw.now);
  t.is(raw.told('close').length, 1);
});
