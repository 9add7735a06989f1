/** Who may open a tunnel, by which credentials, and who is on it (tep-wire 3; standards M-08, M-10). */
import { createHash } from 'node:crypto';
import test from 'ava';
import type { ClientOptions } from '../../session/options.ts';
import { SessionUsers } from '../../session/session-users.ts';
import { FAULTS } from '../../wire/faults.ts';
import { ClientAuth } from '../../wire/stun/client-auth.ts';
import { timeLimitedPassword } from '../../wire/stun/keys.ts';
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
