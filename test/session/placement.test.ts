import test from 'ava';
import { placedToken, placeOfToken, placeOfUser } from '../../session/placement.ts';
import { ClientAuth } from '../../wire/stun/client-auth.ts';
import { find } from '../../wire/stun/message.ts';
import { seededRandom } from '../sim/random.ts';
import { ALICE, BOB } from './direct.ts';
import { codeOf, OPEN, RawServer } from './raw.ts';

const COUNT = 2;
const HERE = placeOfUser(ALICE.name, COUNT);

interface HandedOver {
  readonly conn: number;
  readonly to: number;
  readonly octets: Uint8Array;
}

function servers(options: ConstructorParameters<typeof RawServer>[0] = {}) {
  const handed: HandedOver[] = [];
  const make = (index: number): RawServer => {
    const handOver = (conn: number, to: number, octets: Uint8Array) => {
      handed.push({ conn, to, octets });
      all[index]?.server.disconnected(conn, all[index].now);
    };
    return new RawServer({ ...options, placement: { index, count: COUNT, handOver } });
  };
  const all = [make(0), make(1)];
  const at = (index: number): RawServer => all[index] ?? make(index);
  return { handed, here: at(HERE), there: at(1 - HERE) };
}

test('[W-3] a token tells its process, and is as hard to guess as before', (t) => {
  const random = seededRandom(1);
  for (const count of [1, 2, 3, 7, 64]) {
    const seen = new Set<number>();
    for (let i = 0; i < 2_000; i++) {
      const token = random.octets(16);
      const index = i % count;
      const placed = placedToken(token, index, count);
      t.is(placeOfToken(placed, count), index);
      t.deepEqual(Buffer.from(placed).subarray(0, 15), Buffer.from(token).subarray(0, 15));
      if (index === 0) seen.add(placed[15] ?? -1);
    }
    t.true(seen.size > 1);
  }
});

test('[W-5] users are spread over the processes, each always to the same', (t) => {
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 1_000; i++) {
    const place = placeOfUser(`user-${i}`, 4);
    t.is(placeOfUser(`user-${i}`, 4), place);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  for (const count of counts) t.true(count > 150, String(counts));
});

test('[W-3] who comes to the wrong process is authenticated there and handed over, octet for octet', (t) => {
  const { here, there, handed } = servers();
  const wrong = there.connection(1);
  t.is(codeOf(wrong.bare([OPEN])), 401);
  t.is(wrong.ask([OPEN]), undefined);
  const [first] = handed;
  if (first === undefined) return t.fail();
  t.like(first, { conn: 1, to: HERE });
  t.is(there.server.tunnels().length, 0);
  t.deepEqual(there.told('close'), []);
  // The same octets open the tunnel where it belongs; the nonce is good there too.
  const right = here.connection(1, '192.0.2.9:41001');
  const [welcome] = right.send(first.octets);
  const token = welcome && find(welcome, 'TEP-TUNNEL');
  t.is(token?.length, 16);
  t.is(placeOfToken(token ?? new Uint8Array(1), COUNT), HERE);
});

test('[W-7] joining and resuming come to the process of the token', (t) => {
  const { here, there, handed } = servers();
  const token = here.connection(1).open();
  const joining = there.connection(2);
  t.is(joining.ask([{ type: 'TEP-TUNNEL', value: token }]), undefined);
  t.is(handed[0]?.to, HERE);
  const next = here.connection(2);
  t.is(codeOf(next.send(handed[0]?.octets ?? token)[0]), 0);
  t.is(here.told('tunnel-joined').length, 1);
});

test('[W-7] a token of a process that has forgotten it is refused there', (t) => {
  const { here } = servers();
  const token = placedToken(new Uint8Array(16).fill(9), HERE, COUNT);
  t.is(codeOf(here.connection(1).ask([{ type: 'TEP-TUNNEL', value: token }])), 403);
});

test('[M-10] who is not authenticated is handed over to nobody', (t) => {
  const { there, handed } = servers();
  const c = there.connection(1);
  t.is(codeOf(c.bare([OPEN])), 401);
  const eve = there.connection(2);
  eve.auth = new ClientAuth({
    mechanism: 'long-term',
    credentials: { ...BOB, name: ALICE.name },
    reliable: true,
  });
  t.is(codeOf(eve.ask([OPEN])), 401);
  t.deepEqual(handed, []);
});

test('[W-5] without authentication the address is what is spread; a token leads home all the same', (t) => {
  const { here, there, handed } = servers({ auth: { mechanism: 'none' } });
  const from = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `192.0.2.${n}:41000`);
  const tokens = from.map((peer, i) => here.connection(10 + i, peer).bare([OPEN]));
  const opened = tokens.filter((answer) => answer !== undefined);
  t.is(opened.length + handed.length, from.length);
  t.true(opened.length > 0 && handed.length > 0);
  const [answer] = opened;
  const value = (answer && find(answer, 'TEP-TUNNEL')) ?? new Uint8Array(0);
  const before = handed.length;
  t.is(there.connection(1, '198.51.100.7:1').bare([{ type: 'TEP-TUNNEL', value }]), undefined);
  t.is(handed[before]?.to, HERE);
});
