/** Opening and joining tunnels, and what else TEP-S answers (tep-wire 2, 3; standards M-05). */
import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { ClientAuth } from '../../wire/stun/client-auth.ts';
import { decode, encode, find } from '../../wire/stun/message.ts';
import { ATTRIBUTES } from '../../wire/stun/registry.ts';
import { BOB, Direct, endpoint } from './direct.ts';
import { binding, codeOf, OPEN, RawServer } from './raw.ts';

function opened(d: Direct): boolean {
  d.client.open(d.now);
  d.run();
  return d.client.state === 'up';
}

test('[M-05] the answer to the opening request tells the address that TEP-S sees', (t) => {
  const d = new Direct({ from: '192.0.2.77:51234' });
  t.true(opened(d));
  t.deepEqual(d.said('opened')[0]?.outer, endpoint('192.0.2.77:51234'));
  t.is(d.said('opened')[0]?.lifetimeMs, 30_000);
});

test('[M-05] an ordinary STUN client gets an ordinary answer over the same connection', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1, '192.0.2.9:4242');
  const answer = c.bare([]);
  t.deepEqual(answer && find(answer, 'XOR-MAPPED-ADDRESS'), endpoint('192.0.2.9:4242'));
  t.is(answer && find(answer, 'TEP-TUNNEL'), undefined);
  // And may still become a tunnel.
  t.is(c.open().length, 16);
});

test('[M-05] plain Binding over UDP is answered without any state', (t) => {
  const { server } = new RawServer();
  const request = encode(binding([]), { fingerprint: true });
  const answer = server.datagram(request, 0, request.length, endpoint('192.0.2.8:999'));
  const message = answer && decode(answer, 0, answer.length);
  t.true(typeof message === 'object');
  if (typeof message !== 'object') return;
  t.deepEqual(find(message, 'XOR-MAPPED-ADDRESS'), endpoint('192.0.2.8:999'));
  for (let n = 0; n < request.length; n++) {
    t.is(server.datagram(request, 0, n, endpoint('192.0.2.8:999')), undefined);
  }
  t.is(server.nextTimeout(), Number.POSITIVE_INFINITY);
});

test('[W-3] a success without TEP-TUNNEL comes from an ordinary STUN server', (t) => {
  const d = new Direct();
  d.client.open(d.now);
  const connect = d.client.poll();
  t.is(connect?.type, 'tunnel-state');
  d.client.poll();
  d.client.connected(1, d.now);
  const sent = d.client.pending(1, d.now);
  const request = decode(sent, 0, sent.length);
  if (typeof request === 'number') return t.fail();
  const answer = encode({
    class: 'success',
    method: 1,
    transactionId: request.transactionId,
    attributes: [{ type: 'XOR-MAPPED-ADDRESS', value: endpoint('192.0.2.7:1') }],
  });
  d.client.input(1, answer, 0, answer.length, d.now);
  d.run();
  t.is(d.said('closed')[0]?.why, 'not-tep-s');
  t.is(d.client.state, 'closed');
});

test('[W-3] a tunnel request again on its connection gets the same answer', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  const token = c.open();
  t.deepEqual(c.open(), token);
  const again = c.ask([{ type: 'TEP-TUNNEL', value: token }]);
  t.deepEqual(again && find(again, 'TEP-TUNNEL'), token);
  t.is(codeOf(c.ask([{ type: 'TEP-TUNNEL', value: new Uint8Array(16) }])), 400);
  t.is(raw.told('tunnel-opened').length, 1);
});

test('[B5] an unknown attribute that must be understood is answered with 420', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  const strange = { type: 'unknown', number: 0x7ffe, value: new Uint8Array(4) } as const;
  const plain = c.bare([strange]);
  t.is(codeOf(plain), 420);
  t.deepEqual(plain && find(plain, 'UNKNOWN-ATTRIBUTES'), [0x7ffe]);
  t.is(codeOf(c.ask([OPEN, strange])), 420);
  t.is(raw.server.tunnels().length, 0);
});

test('[B5] unasked answers and other methods are counted and have no effect', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  const parts = binding([]);
  t.is(c.send(encode({ ...parts, class: 'success' })).length, 0);
  t.is(c.send(encode({ ...parts, method: 3 })).length, 0);
  t.is(raw.server.counters.of(FAULTS.STUN_UNEXPECTED), 2);
  t.is(c.send(encode({ ...parts, class: 'indication' })).length, 0);
  t.is(raw.server.counters.of(FAULTS.STUN_UNEXPECTED), 2);
  t.is(raw.told('close').length, 0);
});

test('[B5] a broken attribute is answered with 400 and closes nothing', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  const broken = encode(
    binding([{ type: 'unknown', number: ATTRIBUTES.LIFETIME, value: new Uint8Array(2) }]),
  );
  t.is(codeOf(c.send(broken)[0]), 400);
  t.is(raw.told('close').length, 0);
});

test('[W-3] more tunnels than a user may have: 486, another user is not concerned', (t) => {
  const raw = new RawServer({ quota: { tunnelsPerUser: 2 } });
  t.is(raw.connection(1).open().length, 16);
  t.is(raw.connection(2).open().length, 16);
  const third = raw.connection(3);
  t.is(codeOf(third.ask([OPEN])), 486);
  t.is(raw.server.counters.of(FAULTS.QUOTA_TUNNELS), 1);
  const bob = raw.connection(4);
  bob.auth = asBob();
  t.is(bob.open().length, 16);
  // A tunnel that ends makes room.
  raw.server.disconnected(1, raw.now);
  raw.now += 30_000;
  raw.server.timeout(raw.now);
  t.is(raw.connection(5).open().length, 16);
});

test('[W-3] draining: nothing new is opened, what there is may be joined and resumed', (t) => {
  const raw = new RawServer();
  const token = raw.connection(1).open();
  const waiting = raw.connection(2);
  raw.server.drain();
  t.is(codeOf(waiting.ask([OPEN])), 500);
  const stripe: Attribute = { type: 'TEP-STRIPE', value: 1 };
  const joined = raw.connection(3).ask([{ type: 'TEP-TUNNEL', value: token }, stripe]);
  t.is(codeOf(joined), 0);
  raw.server.disconnected(1, raw.now);
  raw.server.disconnected(3, raw.now);
  t.is(codeOf(raw.connection(4).ask([{ type: 'TEP-TUNNEL', value: token }])), 0);
  t.is(raw.server.tunnels().length, 1);
});

test('[W-3] where nobody is asked who he is, the quota goes by address', (t) => {
  const raw = new RawServer({ auth: { mechanism: 'none' }, quota: { tunnelsPerUser: 1 } });
  t.is(codeOf(raw.connection(1, '192.0.2.1:1').bare([OPEN])), 0);
  t.is(codeOf(raw.connection(2, '192.0.2.1:2').bare([OPEN])), 486);
  t.is(codeOf(raw.connection(3, '192.0.2.2:1').bare([OPEN])), 0);
  // A host has 2^64 IPv6 addresses.
  t.is(codeOf(raw.connection(4, '[2001:db8:0:1::1]:1').bare([OPEN])), 0);
  t.is(codeOf(raw.connection(5, '[2001:db8:0:1:ffff::2]:1').bare([OPEN])), 486);
  t.is(codeOf(raw.connection(6, '[2001:db8:0:2::1]:1').bare([OPEN])), 0);
});

function asBob(): ClientAuth {
  return new ClientAuth({ mechanism: 'long-term', credentials: BOB, reliable: true });
}
