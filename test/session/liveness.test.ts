/** Keep-alive, measuring, closing: with a clock that jumps (tep-wire 7; standards M-18, M-19, B5). */
import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import { decode, find } from '../../wire/stun/message.ts';
import { Direct, endpoint, START_MS, udpPacket } from './direct.ts';
import { OPEN, RawServer } from './raw.ts';

const UDP = 17;
const UE = endpoint('10.0.0.5:4000');
const CORE = endpoint('198.51.100.9:5000');

function bound(options: ConstructorParameters<typeof Direct>[0] = {}): Direct {
  const d = new Direct(options);
  d.bind('10.0.0.5:4000');
  return d;
}

/** One packet each way. */
function talk(d: Direct): void {
  const octets = udpPacket(UE, CORE);
  d.client.packet(octets, 0, octets.length, d.now);
  const back = udpPacket(CORE, d.publicOf('10.0.0.5:4000') ?? CORE);
  d.server.packet(back, 0, back.length, d.now);
  d.run();
}

test('[M-19] [B5] an indication with FINGERPRINT and nothing else after 15 s without sending', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  raw.server.timeout(START_MS + 14_999);
  t.is(c.read().length, 0);
  raw.now = START_MS + 15_000;
  t.is(raw.server.nextTimeout(), raw.now);
  raw.server.timeout(raw.now);
  const [indication] = c.read();
  t.is(indication?.class, 'indication');
  t.deepEqual(indication?.attributes, []);
  t.not(indication?.fingerprintAt, 0);
});

test('[M-19] both ends keep an idle connection alive, each one indication in 15 s', (t) => {
  const d = bound();
  d.wait(10 * 60_000);
  t.is(d.client.state, 'up');
  t.is(d.up.size, 1);
  t.is(d.said('close').length + d.serverTold('close').length, 0);
});

test('[M-19] nothing received for 40 s: given up; anything received counts', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  raw.now += 30_000;
  raw.server.timeout(raw.now);
  c.send(new Uint8Array([0]));
  raw.now += 39_999;
  raw.server.timeout(raw.now);
  t.is(raw.told('close').length, 0);
  raw.now += 1;
  t.is(raw.server.nextTimeout(), raw.now);
  raw.server.timeout(raw.now);
  t.is(raw.told('close')[0]?.fault, FAULTS.IDLE);
  t.false(raw.told('close')[0]?.flush);
  t.is(raw.told('tunnel-state').at(-1)?.to, 'lost');
});

test('[M-19] a request that is not answered within 39.5 s: the connection is of no use', (t) => {
  const d = bound();
  d.client.bind(endpoint('10.0.0.5:4002'), {}, d.now);
  // The request is taken off the wire; indications still come, so the connection is not silent.
  const lost = d.client.pending(1, d.now);
  t.true(lost.length > 0);
  d.client.wrote(1, lost.length, d.now);
  d.wait(39_499);
  t.is(d.said('close').length, 0);
  d.wait(1);
  t.is(d.said('close')[0]?.fault, FAULTS.TRANSACTION_TIMEOUT);
  d.wait(1000);
  t.is(d.client.state, 'up');
  t.truthy(d.publicOf('10.0.0.5:4002'));
});

test('[M-19] TEP-STATS is asked each 5 s while media flows, and not without it', (t) => {
  const d = bound();
  const heapRuns = (): number => d.client.status().connections[0]?.rttMs ?? -1;
  d.wait(60_000);
  t.is(heapRuns(), -1);
  talk(d);
  d.wait(5000);
  t.is(heapRuns(), 0);
});

test('[W-7] TEP-STATS tells what TEP-S has received and dropped since the start', (t) => {
  const d = bound();
  const bad = udpPacket(UE, endpoint('192.0.2.200:5000'));
  for (let i = 0; i < 3; i++) talk(d);
  d.client.packet(bad, 0, bad.length, d.now);
  d.run();
  d.cutAll();
  d.wait(1000);
  talk(d);
  const [tunnel] = d.server.tunnels();
  t.is(tunnel?.counters.receivedRecords, 5);
  t.is(tunnel?.counters.receivedOctets, 5 * 188);
  t.is(tunnel?.counters.sentRecords, 4);
  t.is(tunnel?.counters.dropped, 1);
  t.is(tunnel?.counters.of(FAULTS.DESTINATION_FORBIDDEN), 1);
});

test('[W-7] TEP-STATS in a response: records, octets, drops', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  const value = { records: 1, octets: 2, drops: 3 };
  const answer = c.ask([{ type: 'TEP-STATS', value }]);
  t.deepEqual(answer && find(answer, 'TEP-STATS'), { records: 0, octets: 0, drops: 0 });
});

test('[W-7] TEP-STATS of TEP-C counts from the start of the tunnel, not of the tunnel before', (t) => {
  const d = bound();
  talk(d);
  d.client.close(d.now);
  d.run();
  d.bind('10.0.0.5:4000');
  talk(d);
  d.wait(4999);
  d.now += 1;
  d.client.timeout(d.now);
  const octets = d.client.pending(2, d.now);
  const request = decode(octets, 0, octets.length);
  const stats = typeof request === 'number' ? undefined : find(request, 'TEP-STATS');
  t.deepEqual(stats, { records: 1, octets: 188, drops: 0 });
});

test('[W-7] the round trip is measured', (t) => {
  const d = bound();
  talk(d);
  d.wait(4999);
  d.now += 1;
  d.client.timeout(d.now);
  d.now += 83;
  d.run();
  t.is(d.client.status().connections[0]?.rttMs, 83);
});

test('[M-18] the tunnel is closed 10 s after the last binding is released', (t) => {
  const d = bound();
  d.bind('10.0.0.5:4002');
  d.client.release(UE, UDP, d.now);
  d.wait(60_000);
  t.is(d.client.state, 'up');
  d.client.release(endpoint('10.0.0.5:4002'), UDP, d.now);
  d.wait(9999);
  t.is(d.client.state, 'up');
  d.wait(1);
  t.is(d.client.state, 'closed');
  t.is(d.said('closed')[0]?.why, 'idle');
  t.is(d.serverTold('tunnel-closed')[0]?.why, 'asked');
  t.is(d.up.size, 0);
  t.is(d.client.nextTimeout(), Number.POSITIVE_INFINITY);
  t.is(d.server.nextTimeout(), Number.POSITIVE_INFINITY);
});

test('[M-18] a call within the linger time finds the tunnel open', (t) => {
  const d = bound();
  d.client.release(UE, UDP, d.now);
  d.wait(9000);
  d.bind('10.0.0.5:4002');
  d.wait(60_000);
  t.is(d.client.state, 'up');
  t.is(d.serverTold('tunnel-opened').length, 1);
});

test('[M-18] the linger time is an option', (t) => {
  const d = bound({ client: { lingerMs: 0 } });
  d.client.release(UE, UDP, d.now);
  d.wait(0);
  t.is(d.client.state, 'closed');
});

test('[M-18] close ends the tunnel at once: TEP-CLOSE, then FIN, nothing left at TEP-S', (t) => {
  const d = bound({ client: { stripes: 4 } });
  d.wait(1000);
  t.is(d.up.size, 4);
  d.client.close(d.now);
  d.run();
  t.is(d.client.state, 'closed');
  t.is(d.said('closed')[0]?.why, 'asked');
  t.is(d.up.size, 0);
  t.is(d.server.tunnels().length, 0);
  t.is(d.serverTold('released').length, 1);
  t.true(d.said('close').every((o) => o.fault === 0));
});

test('[M-18] TEP-S does not answer TEP-CLOSE: closed after 2 s all the same', (t) => {
  const d = bound();
  d.client.close(d.now);
  d.client.wrote(1, d.client.pending(1, d.now).length, d.now);
  d.wait(1999);
  t.is(d.client.state, 'closing');
  d.wait(1);
  t.is(d.client.state, 'closed');
});

test('[M-18] a bind while the tunnel is being closed opens the next one', (t) => {
  const d = bound();
  d.client.close(d.now);
  d.client.bind(endpoint('10.0.0.5:4002'), {}, d.now);
  d.run();
  t.is(d.client.state, 'up');
  t.truthy(d.publicOf('10.0.0.5:4002'));
  t.is(d.serverTold('tunnel-opened').length, 2);
  t.is(d.server.tunnels().length, 1);
});

test('[M-18] close before anything is open, and again, does nothing or ends the attempt', (t) => {
  const d = new Direct();
  d.client.close(d.now);
  t.is(d.client.state, 'idle');
  d.isUnreachable = true;
  d.client.open(d.now);
  d.run();
  d.client.close(d.now);
  d.run();
  t.is(d.client.state, 'closed');
  d.client.close(d.now);
  d.wait(100_000);
  t.is(d.said('closed').length, 1);
  // And it can be opened again.
  d.isUnreachable = false;
  d.client.open(d.now);
  d.run();
  t.is(d.client.state, 'up');
});

test('[W-7] TEP-S stops: every tunnel and connection is ended, clients come back later', (t) => {
  const d = bound();
  d.server.stop(d.now);
  d.run();
  t.is(d.serverTold('tunnel-closed')[0]?.why, 'stopped');
  t.is(d.server.tunnels().length, 0);
  t.is(d.client.state, 'lost');
  d.wait(2000);
  t.is(d.client.state, 'up');
  t.is(d.said('opened').at(-1)?.resumed, false);
});

test('[W-7] LIFETIME: the tunnel without a connection lives 30 s and not longer', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  const token = c.open();
  c.ask([{ type: 'TEP-BINDING', value: { port: 0, flags: 0, protocol: UDP } }]);
  raw.server.disconnected(1, raw.now);
  t.is(raw.server.nextTimeout(), START_MS + 30_000);
  raw.server.timeout(START_MS + 29_999);
  t.is(raw.server.tunnels()[0]?.state, 'lost');
  raw.server.timeout(START_MS + 30_000);
  t.is(raw.told('tunnel-closed')[0]?.why, 'expired');
  t.is(raw.told('released').length, 1);
  const late = raw.connection(2).ask([{ type: 'TEP-TUNNEL', value: token }]);
  t.is(late && find(late, 'ERROR-CODE')?.code, 403);
});

test('[W-7] a stripe that comes again takes the place of the one that was lost', (t) => {
  const raw = new RawServer();
  const first = raw.connection(1);
  const token = first.open();
  const join = [
    { type: 'TEP-TUNNEL', value: token },
    { type: 'TEP-STRIPE', value: 0 },
  ] as const;
  const second = raw.connection(2);
  t.is(second.ask(join)?.class, 'success');
  t.is(raw.told('close')[0]?.conn, 1);
  t.is(raw.server.tunnels()[0]?.connections, 1);
  const third = raw.connection(3);
  const ninth = third.ask([OPEN, { type: 'TEP-STRIPE', value: 8 }]);
  t.is(ninth?.class, 'success', 'a new tunnel is always stripe 0');
  const wrong = raw.connection(4).ask([join[0], { type: 'TEP-STRIPE', value: 8 }]);
  t.is(wrong && find(wrong, 'ERROR-CODE')?.code, 400);
});

test('[W-7] attempts to reach TEP-S come at growing, jittered intervals of at most 30 s', (t) => {
  const d = new Direct();
  d.isUnreachable = true;
  d.client.open(d.now);
  const times: number[] = [];
  for (let seen = 0; d.now < START_MS + 300_000; ) {
    d.run();
    if (d.said('connect').length > seen) times.push(d.now - START_MS);
    seen = d.said('connect').length;
    const next = d.client.nextTimeout();
    t.true(next > d.now && next <= d.now + 30_000);
    d.now = next;
    d.client.timeout(d.now);
  }
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
  t.true(gaps.length > 12 && gaps.length < 30, `${gaps}`);
  gaps.forEach((gap, i) => {
    const full = Math.min(30_000, 250 * 2 ** i);
    t.true(gap >= full / 2 && gap <= full, `${gap} of ${full}`);
  });
});

test('[B5] the answer to the opening request has FINGERPRINT and integrity', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.bare([OPEN]);
  const signed = c.ask([OPEN]);
  t.not(signed?.fingerprintAt, 0);
  t.not(signed?.integritySha256At, 0);
  t.is(signed && find(signed, 'LIFETIME'), 30);
  t.is(signed && find(signed, 'SOFTWARE'), 'tep');
  const octets = new Uint8Array(20);
  t.is(typeof decode(octets, 0, 20), 'number');
});

test('[G-25] a connection on which a segment is missing is kept warm, at the pace of a call', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  const troubled = { outstanding: 400, isTroubled: true, rttMs: 40 };
  const sent = [0, 19, 20, 21, 39, 40, 60].map((ms) => {
    raw.server.carrier(1, troubled, START_MS + ms);
    return c.read().map((message) => message.class);
  });
  t.deepEqual(sent, [[], [], ['indication'], [], [], ['indication'], ['indication']]);
  raw.server.carrier(1, { ...troubled, isTroubled: false }, START_MS + 100);
  t.is(c.read().length, 0);
});

test('[G-25] what waits to be written is enough to keep a connection warm', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  const troubled = { outstanding: 400, isTroubled: true, rttMs: 40 };
  // Nothing is read, as if the system took no more.
  for (let ms = 20; ms < 10_000; ms += 20) raw.server.carrier(1, troubled, START_MS + ms);
  t.is(c.read().length, 1);
});

test('[G-25] a connection that has fallen silent gets no media until it is heard again', (t) => {
  const d = bound();
  const { conn } = d.client.status().connections[0] ?? { conn: -1 };
  const silent = { outstanding: 4_000, isTroubled: true, isSilent: true, rttMs: 40 };
  d.client.carrier(conn, silent, d.now);
  const octets = udpPacket(UE, CORE);
  t.is(d.client.packet(octets, 0, octets.length, d.now), 0);
  d.run();
  t.is(d.toCore.length, 0);
  d.client.carrier(conn, { ...silent, isSilent: false }, d.now);
  d.run();
  t.is(d.toCore.length, 1);
});
