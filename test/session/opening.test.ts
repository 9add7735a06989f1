/** Opening and joining tunnels, and everyone who may not (tep-wire 2, 3; standards M-05, M-08, M-10). */
import { createHash } from 'node:crypto';
import test from 'ava';
import type { ClientOptions } from '../../session/options.ts';
import { SessionUsers } from '../../session/session-users.ts';
import { FAULTS } from '../../wire/faults.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { ClientAuth } from '../../wire/stun/client-auth.ts';
import { timeLimitedPassword } from '../../wire/stun/keys.ts';
import { decode, encode, find } from '../../wire/stun/message.ts';
import { ATTRIBUTES } from '../../wire/stun/registry.ts';
import type { AuthPolicy } from '../../wire/stun/server-auth.ts';
import { timeLimitedUsers, userTable } from '../../wire/stun/users.ts';
import { ALICE, BOB, Direct, endpoint, longTerm, REALM, START_MS } from './direct.ts';
import { binding, codeOf, OPEN, RawServer } from './raw.ts';

const NONCE_LIFETIME_MS = 600_000;

function clientAuth(
  mechanism: ClientOptions['auth']['mechanism'],
  credentials?: ClientOptions['auth']['credentials'],
): Partial<ClientOptions> {
  return { auth: { mechanism, credentials } };
}

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

test('[M-08] long-term: SHA-256 with USERHASH, MD5 of an RFC 5389 server, H(A1) only', (t) => {
  t.true(opened(new Direct()));
  const rfc5389 = { ...longTerm(), keyHashes: [], anonymity: false } as AuthPolicy;
  t.true(opened(new Direct({ server: { auth: rfc5389 } })));
  const md5 = createHash('md5').update(`${ALICE.name}:${REALM}:${ALICE.password}`).digest();
  const users = userTable([{ name: ALICE.name, md5 }], REALM);
  const onlyHa1 = { ...longTerm(), users, keyHashes: ['md5'] } as AuthPolicy;
  t.true(opened(new Direct({ server: { auth: onlyHa1 } })));
});

test('[M-08] a wrong password and an unknown user are refused once, with the same words', (t) => {
  const credentials = [
    { name: 'alice', password: 'guess' },
    { name: 'mallory', password: 'x' },
  ];
  const ends = credentials.map((each) => {
    const d = new Direct({ client: clientAuth('long-term', each) });
    t.false(opened(d));
    t.is(d.client.state, 'closed');
    t.is(d.serverTold('tunnel-opened').length, 0);
    t.is(d.client.nextTimeout(), Number.POSITIVE_INFINITY);
    return d.said('closed');
  });
  t.deepEqual(ends[0], ends[1]);
  t.is(ends[0]?.[0]?.why, 'refused');
  t.is(ends[0]?.[0]?.code, 401);
});

test('[M-08] time-limited users need only the shared secret, until they expire', (t) => {
  const auth = { ...longTerm(), users: timeLimitedUsers(['cluster secret']), anonymity: false };
  const expiry = START_MS / 1000 + 60;
  const name = `${expiry}:carol`;
  const password = timeLimitedPassword('cluster secret', name);
  const d = new Direct({
    client: clientAuth('long-term', { name, password }),
    server: { auth: auth as AuthPolicy },
  });
  t.true(opened(d));
  t.is(d.serverTold('tunnel-opened')[0]?.user, 'carol');
  const old = `${START_MS / 1000 - 1}:carol`;
  const late = new Direct({
    client: clientAuth('long-term', {
      name: old,
      password: timeLimitedPassword('cluster secret', old),
    }),
    server: { auth: auth as AuthPolicy },
  });
  t.false(opened(late));
});

test('[M-08] [M-10] short-term: who knows ufrag and pwd of a session, while there is one', (t) => {
  const users = new SessionUsers(2);
  const good = { name: 'core:ue', password: 'secretsecretsecretsecret' };
  t.is(users.replace('call', [good]), 0);
  t.is(users.replace('other', [{ name: 'other:ue', password: 'x' }]), 0);
  t.is(users.replace('third', [{ name: 'third:ue', password: 'y' }]), 1);
  const server = { auth: { mechanism: 'short-term', users } as AuthPolicy };
  const d = new Direct({ client: clientAuth('short-term', good), server });
  t.true(opened(d));
  d.bind('10.0.0.5:4000');
  t.truthy(d.publicOf('10.0.0.5:4000'));
  const bad = { name: 'core:ue', password: 'guess' };
  t.false(opened(new Direct({ client: clientAuth('short-term', bad), server })));
  t.is(users.replace('call', []), 0);
  t.is(users.size, 1);
  t.false(opened(new Direct({ client: clientAuth('short-term', good), server })));
});

test('[M-08] none: only where TEP-S says so and the client was told so', (t) => {
  const server = { auth: { mechanism: 'none' } as AuthPolicy };
  t.true(opened(new Direct({ client: clientAuth('none'), server })));
  const careful = new Direct({ server });
  t.false(opened(careful));
  t.is(careful.said('closed')[0]?.why, 'untrusted');
  const careless = new Direct({ client: clientAuth('none') });
  t.false(opened(careless));
  t.is(careless.said('closed')[0]?.code, 401);
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

test('[M-10] data before authentication ends the connection, no packet comes through', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  const packet = new Uint8Array(40);
  packet.set([0x60, 0, 0, 0, 0, 0, 17, 64]);
  c.send(packet);
  t.is(raw.told('close')[0]?.fault, FAULTS.FRAME_TYPE);
  t.is(raw.toCore.length, 0);
  t.is(raw.server.counters.of(FAULTS.FRAME_TYPE), 1);
});

test('[M-10] [G-22] 4,096 octets without authentication are enough', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  const request = encode(binding([]));
  t.is(request.length, 20);
  for (let i = 0; i < 204; i++) t.is(c.send(request).length, 1);
  t.is(raw.told('close').length, 0);
  t.is(c.send(request).length, 0);
  t.is(raw.told('close')[0]?.fault, FAULTS.UNAUTHENTICATED_LIMIT);
});

test('[G-22] guessing passwords on one connection ends it', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  let refused = 0;
  while (raw.told('close').length === 0) {
    t.is(codeOf(c.bare([OPEN])), 401);
    refused += 1;
  }
  t.is(refused, 6);
  t.is(raw.server.counters.of(FAULTS.UNAUTHENTICATED_LIMIT), 1);
});

test('[M-08] a wrong password is told with who sent it, the first bare request is not', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1, '192.0.2.9:41001');
  c.bare([OPEN]);
  t.deepEqual(raw.told('login-refused'), []);
  const guessing = raw.connection(2, '192.0.2.66:41002');
  const credentials = { ...ALICE, password: 'guess' };
  guessing.auth = new ClientAuth({ mechanism: 'long-term', credentials, reliable: true });
  t.is(codeOf(guessing.ask([OPEN])), 401);
  t.deepEqual(raw.told('login-refused'), [
    { type: 'login-refused', peer: endpoint('192.0.2.66:41002'), fault: FAULTS.STUN_INTEGRITY },
  ]);
  t.notRegex(JSON.stringify(raw.said), /guess/);
});

test('[M-08] a nonce that has become too old is no wrong password', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  raw.now += 3_600_000;
  c.ask([{ type: 'TEP-STATS', value: { records: 0, octets: 0, drops: 0 } }]);
  t.is(raw.server.counters.of(FAULTS.STUN_NONCE), 1);
  t.deepEqual(raw.told('login-refused'), []);
});

test('[G-22] a connection that does not authenticate is ended after 15 s', (t) => {
  const raw = new RawServer();
  raw.connection(1);
  t.is(raw.server.nextTimeout(), START_MS + 15_000);
  raw.server.timeout(START_MS + 14_999);
  t.is(raw.told('close').length, 0);
  raw.server.timeout(START_MS + 15_000);
  t.is(raw.told('close').length, 1);
});

test('[G-22] unauthenticated connections leave nothing behind', (t) => {
  const raw = new RawServer();
  for (let i = 1; i <= 200; i++) {
    const c = raw.connection(i);
    t.is(codeOf(c.bare([OPEN])), 401);
    raw.server.disconnected(i, raw.now);
  }
  t.is(raw.server.tunnels().length, 0);
  t.is(raw.server.nextTimeout(), Number.POSITIVE_INFINITY);
});

test('[M-08] a stale nonce costs one round trip, on an open tunnel too', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  d.wait(NONCE_LIFETIME_MS + 1000);
  const before = d.server.counters.of(FAULTS.STUN_NONCE);
  d.bind('10.0.0.5:4002');
  t.truthy(d.publicOf('10.0.0.5:4002'));
  t.is(d.server.counters.of(FAULTS.STUN_NONCE), before + 1);
  t.is(d.said('close').length, 0);
});

test('[M-10] every request that changes something is authenticated, also on an open tunnel', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  const wanted = { type: 'TEP-BINDING', value: { port: 0, flags: 0, protocol: 17 } } as const;
  t.is(codeOf(c.bare([wanted])), 401);
  t.is(codeOf(c.bare([{ type: 'TEP-CLOSE', value: true }])), 401);
  t.is(raw.told('bound').length, 0);
  t.is(raw.server.tunnels().length, 1);
});

test('[M-10] another user on an open connection is refused', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  const { auth } = c;
  c.auth = asBob();
  t.is(codeOf(c.ask([{ type: 'TEP-CLOSE', value: true }])), 441);
  t.is(codeOf(c.ask([OPEN])), 400);
  c.auth = auth;
  t.is(codeOf(c.ask([{ type: 'TEP-CLOSE', value: true }])), 0);
});

test('[G-22] only a time-limited name has an expiry: names that look like one are whole names', (t) => {
  const users = ['7:alice', '8:alice'].map((name) => ({ name, password: 'a password' }));
  const auth = { ...longTerm(), users: userTable(users, REALM) } as AuthPolicy;
  const raw = new RawServer({ auth });
  const tokens = users.map((credentials, i) => {
    const c = raw.connection(i + 1);
    c.auth = new ClientAuth({ mechanism: 'long-term', credentials, reliable: true });
    return c.open();
  });
  t.deepEqual(
    raw.told('tunnel-opened').map(({ user }) => user),
    ['7:alice', '8:alice'],
  );
  const c = raw.connection(3);
  c.auth = new ClientAuth({
    mechanism: 'long-term',
    credentials: { name: '8:alice', password: 'a password' },
    reliable: true,
  });
  const stolen = c.ask([{ type: 'TEP-TUNNEL', value: tokens[0] ?? new Uint8Array(0) }]);
  t.is(codeOf(stolen), 403);
});

test('[G-22] a token is good only for its user; unknown and foreign ones look the same', (t) => {
  const raw = new RawServer();
  const token = raw.connection(1).open();
  const bob = raw.connection(2);
  bob.auth = asBob();
  const foreign = bob.ask([{ type: 'TEP-TUNNEL', value: token }]);
  const unknown = bob.ask([{ type: 'TEP-TUNNEL', value: new Uint8Array(16) }]);
  t.is(codeOf(foreign), 403);
  t.is(codeOf(unknown), 403);
  t.deepEqual(
    foreign?.attributes.map((a) => a.type),
    unknown?.attributes.map((a) => a.type),
  );
  t.is(raw.told('tunnel-joined').length, 0);
  // The same connection may open a tunnel of its own.
  t.is(bob.open().length, 16);
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

test('[G-22] a recorded opening request is worth nothing from another address', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  const challenge = c.bare([OPEN]);
  t.is(codeOf(challenge), 401);
  c.open();
  const recorded = c.auth.request(binding([OPEN])).octets;
  const thief = raw.connection(2);
  const answer = thief.send(recorded)[0];
  t.is(codeOf(answer), 438);
  t.is(raw.told('tunnel-opened').length, 1);
});

function asBob(): ClientAuth {
  return new ClientAuth({ mechanism: 'long-term', credentials: BOB, reliable: true });
}
