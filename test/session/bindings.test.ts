/** Public ports: granted, refused, given back (tep-wire 5; standards M-06, M-10, G-22). */
import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import type { Attribute, TepBinding } from '../../wire/stun/attributes.ts';
import { find } from '../../wire/stun/message.ts';
import { BINDING_FLAGS } from '../../wire/stun/registry.ts';
import { icmpError } from '../wire/packets.ts';
import { Direct, endpoint, pool, relay, udpPacket } from './direct.ts';
import { codeOf, RawServer } from './raw.ts';

const { EVEN_PORT, RELEASE } = BINDING_FLAGS;
const UDP = 17;
const TCP = 6;

function wish(port = 0, flags = 0, protocol = UDP): Attribute {
  return { type: 'TEP-BINDING', value: { port, flags, protocol } };
}

const IPV6: Attribute = { type: 'REQUESTED-ADDRESS-FAMILY', value: 6 };

const CORE = endpoint('198.51.100.9:5000');

test('[M-06] the public address of a binding is what goes into SDP and into packets', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  const told = d.said('bound')[0];
  const granted = d.serverTold('bound')[0];
  t.deepEqual(told?.address, granted?.address);
  t.is(told?.changed, false);
  const octets = udpPacket(endpoint('10.0.0.5:4000'), CORE);
  d.client.packet(octets, 0, octets.length, d.now);
  d.run();
  t.deepEqual(d.toCore[0]?.octets, udpPacket(granted?.address ?? CORE, CORE));
});

test('[M-06] reflexive: the public address is the one that TEP-S sees', (t) => {
  const d = new Direct({ from: '192.0.2.7:40000', server: { addresses: { mode: 'reflexive' } } });
  d.bind('10.0.0.5:4000');
  t.deepEqual(d.publicOf('10.0.0.5:4000')?.address, endpoint('192.0.2.7:0').address);
  // It stays when the tunnel goes on over another connection from another port.
  d.cutAll();
  d.wait(1000);
  d.bind('10.0.0.5:4002');
  t.deepEqual(d.publicOf('10.0.0.5:4002')?.address, endpoint('192.0.2.7:0').address);
  d.bind('[fd00::5]:4000');
  t.is(d.said('bind-failed')[0]?.code, 440);
});

test('[W-5] the wanted port is granted when it is free, else another one', (t) => {
  const raw = new RawServer({ addresses: pool('203.0.113.1/32') });
  const a = raw.connection(1);
  a.open();
  const granted = a.ask([wish(20_000)]);
  t.is(granted && find(granted, 'XOR-MAPPED-ADDRESS')?.port, 20_000);
  const b = raw.connection(2);
  b.open();
  const other = b.ask([wish(20_000)]);
  const port = (other && find(other, 'TEP-BINDING')?.port) ?? 0;
  t.not(port, 20_000);
  t.true(port >= 16_384);
});

test('[W-5] the same request, over another connection too, gets the same answer', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  const token = c.open();
  const id = new Uint8Array(12).fill(9);
  const first = c.ask([wish()], id);
  const again = c.ask([wish()], id);
  t.deepEqual(again?.attributes, first?.attributes);
  raw.server.disconnected(1, raw.now);
  const resumed = raw.connection(2);
  t.is(codeOf(resumed.ask([{ type: 'TEP-TUNNEL', value: token }])), 0);
  t.deepEqual(resumed.ask([wish()], id)?.attributes, first?.attributes);
  const port = (first && find(first, 'TEP-BINDING')?.port) ?? 0;
  t.deepEqual(resumed.ask([wish(port)])?.attributes, first?.attributes);
  t.is(raw.told('bound').length, 1);
  // Another wish for any port is another binding.
  const other = resumed.ask([wish()]);
  t.not(other && find(other, 'TEP-BINDING')?.port, port);
});

test('[W-5] a pair is an even port and its odd neighbour; a release gives both back', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  const granted = c.ask([wish(20_001, EVEN_PORT)]);
  const told = granted && find(granted, 'TEP-BINDING');
  const port = told?.port ?? 1;
  t.is(port % 2, 0);
  t.is(told?.flags, EVEN_PORT);
  t.deepEqual(
    raw.told('bound').map((o) => o.address.port),
    [port, port + 1],
  );
  t.is(codeOf(c.ask([wish(port, EVEN_PORT | RELEASE)])), 0);
  t.is(raw.told('released').length, 2);
  t.is(raw.server.tunnels()[0]?.bindings, 0);
});

test('[W-5] half of a pair can be released, and a release again is a success', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  const granted = c.ask([wish(20_000, EVEN_PORT)]);
  t.is(codeOf(granted), 0);
  const released: TepBinding = { port: 20_001, flags: RELEASE, protocol: UDP };
  for (let i = 0; i < 2; i++) {
    const answer = c.ask([wish(20_001, RELEASE)]);
    t.is(codeOf(answer), 0);
    t.deepEqual(answer && find(answer, 'TEP-BINDING'), released);
  }
  t.deepEqual(
    raw.told('released').map((o) => o.address.port),
    [20_001],
  );
  // The even half is a binding like any other now.
  t.is(codeOf(c.ask([wish(20_000)])), 0);
  t.is(raw.server.tunnels()[0]?.bindings, 1);
});

test('[W-5] errors: 440 no such family, 442 protocol, 437 no tunnel', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  t.is(codeOf(c.ask([wish()])), 437);
  c.open();
  t.is(codeOf(c.ask([wish(), IPV6])), 440);
  const third: Attribute = { type: 'unknown', number: 0x0017, value: Uint8Array.of(3, 0, 0, 0) };
  t.is(codeOf(c.ask([wish(), third])), 440);
  t.is(raw.server.tunnels()[0]?.bindings, 0);
  t.is(codeOf(c.ask([wish(0, 0, 47)])), 442);
  t.is(codeOf(c.ask([wish(0, 0, TCP)])), 0);
});

test('[W-5] 486 at the quota of the tunnel, and room again after a release', (t) => {
  const raw = new RawServer({ quota: { bindingsPerTunnel: 3 } });
  const c = raw.connection(1);
  c.open();
  t.is(codeOf(c.ask([wish(20_000, EVEN_PORT)])), 0);
  t.is(codeOf(c.ask([wish(0, EVEN_PORT)])), 486);
  t.is(codeOf(c.ask([wish()])), 0);
  t.is(codeOf(c.ask([wish()])), 486);
  t.is(raw.server.counters.of(FAULTS.QUOTA_BINDINGS), 2);
  c.ask([wish(20_000, EVEN_PORT | RELEASE)]);
  t.is(codeOf(c.ask([wish(0, EVEN_PORT)])), 0);
});

test('[W-5] 508 when no port is left; the end of a tunnel gives all back', (t) => {
  const ports = { first: 20_000, last: 20_003 };
  const raw = new RawServer({ addresses: pool('203.0.113.1/32'), ports });
  const a = raw.connection(1);
  a.open();
  for (let i = 0; i < 4; i++) t.is(codeOf(a.ask([wish()])), 0);
  t.is(codeOf(a.ask([wish()])), 508);
  t.is(codeOf(a.ask([wish(0, EVEN_PORT)])), 508);
  t.is(codeOf(a.ask([{ type: 'TEP-CLOSE', value: true }])), 0);
  t.is(raw.told('released').length, 4);
  const b = raw.connection(2);
  b.open();
  t.is(codeOf(b.ask([wish(0, EVEN_PORT)])), 0);
  t.is(codeOf(b.ask([wish(0, EVEN_PORT)])), 0);
});

test('[G-22] a tunnel cannot release what another one has', (t) => {
  const raw = new RawServer({ addresses: pool('203.0.113.1/32') });
  const a = raw.connection(1);
  a.open();
  a.ask([wish(20_000)]);
  const b = raw.connection(2);
  b.open();
  t.is(codeOf(b.ask([wish(20_000, RELEASE)])), 0);
  t.is(raw.told('released').length, 0);
});

test('[W-5] relay: the answer comes when the socket is there', (t) => {
  const raw = new RawServer({ addresses: relay('203.0.113.9/32') });
  const c = raw.connection(1);
  const token = c.open();
  const id = new Uint8Array(12).fill(3);
  t.is(c.ask([wish(50_000, EVEN_PORT)], id), undefined);
  const [even, odd] = raw.told('listen');
  t.deepEqual([even?.address.port, odd?.address.port], [50_000, 50_001]);
  raw.server.listening(even?.id ?? 0, raw.now);
  t.is(c.read().length, 0);
  // The connection goes in the meantime; the same request over the next one gets the answer.
  raw.server.disconnected(1, raw.now);
  const next = raw.connection(2);
  next.ask([{ type: 'TEP-TUNNEL', value: token }]);
  t.is(next.ask([wish(50_000, EVEN_PORT)], id), undefined);
  t.is(raw.told('listen').length, 2);
  raw.server.listening(odd?.id ?? 0, raw.now);
  const [answer] = next.read();
  t.is(answer && find(answer, 'TEP-BINDING')?.port, 50_000);
  t.is(raw.told('bound').length, 2);
  t.is(codeOf(next.ask([wish(50_000, EVEN_PORT | RELEASE)])), 0);
  t.is(raw.told('listen-end').length, 2);
});

test('[W-5] relay: a port that another program has is replaced, a few times, then 508', (t) => {
  const raw = new RawServer({ addresses: relay('203.0.113.9/32') });
  const c = raw.connection(1);
  c.open();
  t.is(c.ask([wish(50_000, EVEN_PORT)]), undefined);
  const ports = new Set<number>();
  let failures = 0;
  for (let [even, odd] = raw.told('listen').slice(-2); failures < 8; failures++) {
    ports.add(even?.address.port ?? 0);
    raw.server.listening(even?.id ?? 0, raw.now);
    raw.server.listenFailed(odd?.id ?? 0, raw.now);
    [even, odd] = raw.told('listen').slice(-2);
  }
  t.is(codeOf(c.read()[0]), 508);
  t.is(ports.size, 8);
  t.is(raw.told('listen').length, 16);
  t.is(raw.told('listen-end').length, 8);
  t.is(raw.told('bound').length, 0);
  t.is(raw.server.tunnels()[0]?.bindings, 0);
  // Late answers of the agent to what is gone.
  raw.server.listening(1, raw.now);
  raw.server.listenFailed(2, raw.now);
  t.is(codeOf(c.ask([wish(0, 0, TCP)])), 442);
});

test('[W-5] reflexive with addresses to open: TCP too, and told which address is done with', (t) => {
  const raw = new RawServer({ addresses: { mode: 'reflexive' }, opensAddresses: true });
  const c = raw.connection(1);
  c.open();
  t.is(c.ask([wish(50_000, 0, TCP)]), undefined);
  const [asked] = raw.told('listen');
  t.is(asked?.protocol, TCP);
  raw.server.listening(asked?.id ?? 0, raw.now);
  t.is(codeOf(c.read()[0]), 0);
  c.ask([wish(50_000, RELEASE, TCP)]);
  const [ended] = raw.told('listen-end');
  t.deepEqual(ended?.address, asked?.address);
  t.is(ended?.protocol, TCP);
});

test('[W-5] relay: a tunnel that ends while sockets are being opened takes them back', (t) => {
  const raw = new RawServer({ addresses: relay('203.0.113.9/32') });
  const c = raw.connection(1);
  c.open();
  c.ask([wish()]);
  c.ask([{ type: 'TEP-CLOSE', value: true }]);
  t.is(raw.told('listen-end').length, 1);
  t.is(raw.told('released').length, 0);
  raw.server.listening(1, raw.now);
  t.is(raw.told('bound').length, 0);
});

test('[W-5] a bind again is told again; another port wish changes nothing', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  d.bind('10.0.0.5:4000', { port: 33_333 });
  const told = d.said('bound');
  t.is(told.length, 2);
  t.deepEqual(told[0], told[1]);
  t.is(d.serverTold('bound').length, 1);
});

test('[W-5] the odd half of a pair is told when it is asked for, and goes with the pair', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000', { pair: true });
  d.bind('10.0.0.5:4001');
  const [pair, odd] = d.said('bound');
  t.is(odd?.address.port, (pair?.address.port ?? 0) + 1);
  t.false(odd?.pair);
  d.client.release(endpoint('10.0.0.5:4001'), UDP, d.now);
  d.run();
  t.is(d.serverTold('released').length, 0);
  d.client.release(endpoint('10.0.0.5:4000'), UDP, d.now);
  d.run();
  t.is(d.serverTold('released').length, 2);
});

test('[W-5] released while it is asked for: what is granted late is given back', (t) => {
  const d = new Direct();
  d.client.bind(endpoint('10.0.0.5:4000'), {}, d.now);
  d.client.release(endpoint('10.0.0.5:4000'), UDP, d.now);
  d.run();
  d.bind('10.0.0.5:4002');
  d.client.bind(endpoint('10.0.0.5:4004'), {}, d.now);
  d.client.release(endpoint('10.0.0.5:4004'), UDP, d.now);
  d.run();
  t.is(d.server.tunnels()[0]?.bindings, 1);
  t.deepEqual(
    d.said('bound').map((o) => o.ue.port),
    [4002],
  );
});

test('[W-5] a release whose answer is lost is repeated after the tunnel is resumed', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  d.bind('10.0.0.5:4002');
  d.client.release(endpoint('10.0.0.5:4000'), UDP, d.now);
  d.cutAll();
  d.wait(1000);
  t.is(d.client.state, 'up');
  t.is(d.server.tunnels()[0]?.bindings, 1);
});

test('[W-5] too many bindings, or a pair over a bound port: refused here, nothing is asked', (t) => {
  const d = new Direct({ client: { maxBindings: 2 } });
  d.bind('10.0.0.5:4001');
  d.bind('10.0.0.5:4000', { pair: true });
  d.bind('10.0.0.5:5000');
  d.bind('10.0.0.5:6000');
  t.deepEqual(
    d.said('bind-failed').map((o) => [o.ue.port, o.code]),
    [
      [4000, 0],
      [6000, 0],
    ],
  );
  t.is(d.serverTold('bound').length, 2);
});

test('when a phone sent last is told apart from what it was sent, and from errors of its host', (t) => {
  const d = new Direct();
  const ue = endpoint('10.0.0.5:4000');
  d.bind('10.0.0.5:4000');
  const address = d.publicOf('10.0.0.5:4000') ?? ue;
  const sentMs = () => d.client.status().bindings[0]?.sentMs;
  const send = (octets: Uint8Array) => d.client.packet(octets, 0, octets.length, d.now);
  d.wait(1_000);
  t.is(send(udpPacket(ue, CORE)), 0);
  const saidMs = d.now;
  t.is(sentMs(), saidMs);
  d.wait(1_000);
  const down = udpPacket(CORE, address);
  t.is(d.server.packet(down, 0, down.length, d.now), 0);
  d.run();
  t.is(send(icmpError(ue.address, CORE.address, udpPacket(CORE, ue))), 0);
  t.is(sentMs(), saidMs);
  t.is(d.client.status().bindings[0]?.usedMs, d.now);
});

test('our own wrong arguments throw', (t) => {
  const d = new Direct();
  const ue = endpoint('10.0.0.5:65535');
  t.throws(() => d.client.bind({ ...ue, port: 0 }, {}, d.now), { instanceOf: RangeError });
  t.throws(() => d.client.bind(ue, { pair: true }, d.now), { instanceOf: RangeError });
  t.throws(() => d.client.bind(ue, { port: 70_000 }, d.now), { instanceOf: RangeError });
  t.throws(() => new Direct({ client: { stripes: 9 } }), { instanceOf: RangeError });
  t.throws(() => new Direct({ client: { stripes: 0 } }), { instanceOf: RangeError });
  d.bind('10.0.0.5:4000');
  t.throws(() => d.server.accepted(1, ue, d.now), { instanceOf: RangeError });
  t.throws(() => d.client.wrote(1, 1, d.now), { instanceOf: RangeError });
});
