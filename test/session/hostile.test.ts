/**
 * Peers that send anything: seeded mutations of real sessions in both directions, floods, slow
 * readers. Nothing throws, nothing grows, no packet comes out that was not allowed in.
 */
import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import type { Attribute } from '../../wire/stun/attributes.ts';
import { encode } from '../../wire/stun/message.ts';
import { seededRandom } from '../sim/random.ts';
import { Direct, endpoint, START_MS, udpPacket } from './direct.ts';
import { binding, OPEN, RawServer } from './raw.ts';

const UE = endpoint('10.0.0.5:4000');
const CORE = endpoint('198.51.100.9:5000');
const MUTATIONS = 10_000;

/** Flips, cuts, repeats or inserts octets. */
function mutated(octets: Uint8Array, random: ReturnType<typeof seededRandom>): Uint8Array {
  const at = random.below(octets.length);
  switch (random.below(4)) {
    case 0: {
      const copy = octets.slice();
      for (let i = 0; i <= random.below(4); i++)
        copy[random.below(copy.length)] = random.below(256);
      return copy;
    }
    case 1:
      return octets.slice(0, at);
    case 2:
      return Uint8Array.from([...octets.subarray(0, at), ...octets]);
    default:
      return Uint8Array.from([
        ...octets.subarray(0, at),
        ...random.octets(random.below(40)),
        ...octets.subarray(at),
      ]);
  }
}

/** One message of each kind that a client sends on an open tunnel, and a packet; made when called. */
function clientRecords(c: ReturnType<RawServer['connection']>): Array<() => Uint8Array> {
  const kinds: Attribute[][] = [
    [OPEN],
    [{ type: 'TEP-BINDING', value: { port: 0, flags: 1, protocol: 17 } }],
    [{ type: 'TEP-BINDING', value: { port: 20_000, flags: 2, protocol: 17 } }],
    [{ type: 'TEP-STATS', value: { records: 1, octets: 2, drops: 3 } }],
    [
      { type: 'TEP-TUNNEL', value: new Uint8Array(16) },
      { type: 'TEP-STRIPE', value: 1 },
    ],
    [],
  ];
  const requests = kinds.map((attributes) => () => c.auth.request(binding(attributes)).octets);
  const bare = kinds.map((attributes) => () => encode(binding(attributes)));
  return [...requests, ...bare, () => udpPacket(endpoint('203.0.113.1:20000'), CORE, 40)];
}

test('[G-22] 10 000 mutations towards TEP-S, before and after authentication', (t) => {
  const random = seededRandom(42);
  const raw = new RawServer();
  let conn = 0;
  let c = raw.connection(++conn);
  for (let i = 0; i < MUTATIONS; i++) {
    if (raw.poll().some((o) => o.type === 'close') || i % 50 === 0) {
      raw.server.disconnected(conn, raw.now);
      raw.now += 100;
      raw.server.timeout(raw.now);
      c = raw.connection(++conn);
      if (random.chance(0.5)) c.open();
    }
    const records = clientRecords(c);
    const octets = mutated(records[random.below(records.length)]?.() ?? UE.address, random);
    raw.server.input(conn, octets, 0, octets.length, raw.now);
    const pending = raw.server.pending(conn, raw.now).length;
    raw.server.wrote(conn, pending, raw.now);
  }
  raw.server.disconnected(conn, raw.now);
  raw.server.timeout(raw.now + 31_000);
  raw.poll();
  t.is(raw.server.tunnels().length, 0);
  t.is(raw.server.nextTimeout(), Number.POSITIVE_INFINITY);
  t.is(raw.toCore.length, 0);
});

test('[G-22] 10 000 mutations towards TEP-C', (t) => {
  const random = seededRandom(43);
  const d = new Direct();
  let answers: Uint8Array[] = [];
  for (let i = 0; i < MUTATIONS; i++) {
    if (d.client.state !== 'up' || i % 40 === 0) {
      d.cutAll();
      d.client.close(d.now);
      d.wait(100);
      d.bind('10.0.0.5:4000', { pair: true });
      const pub = d.publicOf('10.0.0.5:4000') ?? CORE;
      const answer = encode({ ...binding([]), class: 'success' }, { fingerprint: true });
      const error = encode({
        ...binding([{ type: 'ERROR-CODE', value: { code: 438, reason: 'Stale Nonce' } }]),
        class: 'error',
      });
      answers = [udpPacket(CORE, pub, 40), answer, error, encode(binding([OPEN]))];
    }
    const [conn] = d.up;
    if (conn === undefined) continue;
    const octets = mutated(answers[random.below(answers.length)] ?? UE.address, random);
    d.client.input(conn, octets, 0, octets.length, d.now);
    d.run();
  }
  d.client.close(d.now);
  d.wait(10_000);
  t.is(d.client.state, 'closed');
  t.is(d.client.nextTimeout(), Number.POSITIVE_INFINITY);
  // What came out for the application went to its two ports.
  t.true(d.toUe.every(({ octets }) => octets[16] === 10 && octets[19] === 5));
});

test('[W-2] every prefix of a session, and then nothing: no answer to half a message', (t) => {
  const raw = new RawServer();
  const request = encode(binding([OPEN]), { fingerprint: true });
  for (let n = 0; n < request.length; n++) {
    const c = raw.connection(n + 1);
    t.is(c.send(request.slice(0, n)).length, 0);
    t.is(c.send(request.slice(n)).length, 1);
  }
});

test('[G-25] a peer that does not read: data is dropped and counted, memory stays bounded', (t) => {
  const d = new Direct({ server: { media: { queueOctets: 20_480 } } });
  d.bind('10.0.0.5:4000');
  const packet = udpPacket(CORE, d.publicOf('10.0.0.5:4000') ?? CORE, 172);
  // Begun, but not taken.
  d.server.packet(packet, 0, packet.length, d.now);
  t.is(d.server.pending(1, d.now).length, packet.length);
  for (let i = 0; i < 10_000; i++) {
    // The newest stay: the oldest of the same class make room.
    t.is(d.server.packet(packet, 0, packet.length, d.now), 0);
  }
  t.is(d.server.counters.of(FAULTS.MEDIA_TOO_FULL), 10_000 - 80);
  t.is(d.server.tunnels()[0]?.counters.dropped, 10_000 - 80);
  t.is(d.server.pending(1, d.now).length, packet.length);
  d.run();
  t.is(d.toUe.length, 81);
  t.is(d.client.state, 'up');
});

test('[G-22] requests without reading the answers: the reserve is used up, then the end', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  const request = encode(binding([]));
  for (let i = 0; i < 10_000; i++) raw.server.input(1, request, 0, request.length, raw.now);
  t.is(raw.told('close')[0]?.fault, FAULTS.SEND_QUEUE_FULL);
  t.is(raw.server.pending(1, raw.now).length, 0);
  t.is(raw.server.tunnels()[0]?.state, 'lost');
});

test('[G-22] a flood of bind requests ends at the quota and leaves what there was', (t) => {
  const raw = new RawServer({ quota: { bindingsPerTunnel: 10 } });
  const c = raw.connection(1);
  c.open();
  const wish: Attribute = { type: 'TEP-BINDING', value: { port: 0, flags: 0, protocol: 17 } };
  for (let i = 0; i < 200; i++) c.ask([wish]);
  t.is(raw.server.tunnels()[0]?.bindings, 10);
  t.is(raw.server.counters.of(FAULTS.QUOTA_BINDINGS), 190);
});

test('[W-2] the same session in pieces of one octet gives the same packets', (t) => {
  const whole = new Direct();
  const pieces = new Direct({ pieceLength: 1 });
  for (const d of [whole, pieces]) {
    d.bind('10.0.0.5:4000');
    const up = udpPacket(UE, CORE);
    d.client.packet(up, 0, up.length, d.now);
    d.run();
    const down = udpPacket(CORE, d.publicOf('10.0.0.5:4000') ?? CORE);
    d.server.packet(down, 0, down.length, d.now);
    d.run();
  }
  t.deepEqual(pieces.toCore, whole.toCore);
  t.deepEqual(pieces.toUe, whole.toUe);
});

test('[G-22] secrets stand in no output', (t) => {
  const d = new Direct({ client: { stripes: 2 } });
  d.bind('10.0.0.5:4000');
  d.cutAll();
  d.wait(5000);
  const said = JSON.stringify([d.clientSaid, d.serverSaid, d.server.tunnels()]);
  t.false(said.includes('open sesame'));
  t.false(/token/i.test(said));
  t.true(said.includes('tunnel-joined'));
});

test('[G-22] a thousand tunnels come and go, nothing stays', (t) => {
  const raw = new RawServer();
  for (let i = 1; i <= 1000; i++) {
    const c = raw.connection(i);
    c.open();
    c.ask([{ type: 'TEP-BINDING', value: { port: 0, flags: 1, protocol: 17 } }]);
    if (i % 2 === 0) c.ask([{ type: 'TEP-CLOSE', value: true }]);
    raw.server.disconnected(i, raw.now);
    raw.now += 10_000;
    raw.server.timeout(raw.now);
    t.true(raw.server.tunnels().length <= 3);
  }
  raw.server.timeout(raw.now + 30_000);
  t.is(raw.server.tunnels().length, 0);
  t.is(raw.told('bound').length, raw.told('released').length);
  t.is(raw.server.nextTimeout(), Number.POSITIVE_INFINITY);
  t.true(raw.now > START_MS);
});
