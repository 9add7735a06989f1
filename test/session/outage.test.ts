/** While no tunnel can be had: told, refused quickly, tried again (standards G-09, G-14, G-22). */
import test from 'ava';
import type { ClientOptions } from '../../session/options.ts';
import { equal } from '../../wire/bytes.ts';
import { FAULTS } from '../../wire/faults.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { parsePrefix } from '../../wire/prefix.ts';
import { checksumsRight } from '../../wire/rewrite.ts';
import { icmpError } from '../wire/packets.ts';
import { ALICE, Direct, type DirectOptions, endpoint, udpPacket } from './direct.ts';

const CORE = endpoint('198.51.100.9:30000');
const UE = endpoint('10.0.0.5:16400');
const LIFETIME_MS = 30_000;
const OPENING_MS = 5_000;
const BURST = 20;

const MEDIA = parsePrefix('198.51.100.0/24');
const TO = MEDIA ? [{ prefix: MEDIA, ports: { first: 30_000, last: 39_999 } }] : [];

function newDirect(client: Partial<ClientOptions> = {}, options: DirectOptions = {}): Direct {
  return new Direct({ ...options, client: { firstPacket: { to: TO }, refuse: true, ...client } });
}

function say(d: Direct, from = UE): number {
  const octets = udpPacket(from, CORE);
  const fault = d.client.packet(octets, 0, octets.length, d.now);
  d.run();
  return fault;
}

function outages(d: Direct): boolean[] {
  return d.said('outage').map(({ on }) => on);
}

const WRONG: Partial<ClientOptions> = {
  auth: { mechanism: 'long-term', credentials: { ...ALICE, password: 'wrong' } },
};

test('[G-22] nobody listens: the sender is told at once, each time that it tries', (t) => {
  const d = newDirect();
  d.isUnreachable = true;
  t.is(say(d), 0);
  t.deepEqual(outages(d), [true]);
  t.is(d.toUe.length, 1, 'the packet that waited');
  t.is(say(d), FAULTS.NO_TUNNEL);
  t.is(d.toUe.length, 2);
  t.is(d.client.counters.of(FAULTS.NO_TUNNEL), 2);
  const view = new PacketView();
  const { octets, binding } = d.toUe[0] ?? { octets: new Uint8Array(0), binding: 0 };
  t.is(readPacket(view, octets, 0, octets.length) || checksumsRight(octets, view), 0);
  t.true(view.isIcmpError);
  t.true(equal(octets, view.destinationAt, UE.address, 0, 4));
  t.is(view.embeddedSourcePort, UE.port);
  t.deepEqual(octets.subarray(view.payload), udpPacket(UE, CORE));
  t.is(binding, -1);
});

test('[M-07] the tunnel is there again: no outage, and media flow', (t) => {
  const d = newDirect();
  d.isUnreachable = true;
  say(d);
  d.wait(2_000);
  d.isUnreachable = false;
  d.wait(5_000);
  t.deepEqual(outages(d), [true, false]);
  t.is(say(d), 0);
  t.is(d.toCore.length, 1);
});

test('[G-22] the answers come at a limited rate', (t) => {
  const d = newDirect();
  d.isUnreachable = true;
  for (let i = 0; i < 1000; i++) say(d);
  t.is(d.toUe.length, BURST);
  d.now += 1000;
  for (let i = 0; i < 1000; i++) say(d);
  t.is(d.toUe.length, 2 * BURST);
  t.is(d.client.counters.of(FAULTS.NO_TUNNEL), 2000);
});

test('[G-22] without `refuse` there is no answer', (t) => {
  const d = newDirect({ refuse: false });
  d.isUnreachable = true;
  for (let i = 0; i < 10; i++) say(d);
  t.is(d.toUe.length, 0);
  t.is(d.client.counters.of(FAULTS.NO_TUNNEL), 10);
});

test('[G-20] a packet that may never get a binding is refused, too', (t) => {
  const d = newDirect({ firstPacket: { to: [] } });
  t.is(say(d), FAULTS.NO_BINDING);
  t.is(d.toUe.length, 1);
  t.is(d.client.state, 'idle');
});

test('[RFC1122] an ICMP error of the UE is never answered', (t) => {
  const d = newDirect();
  d.isUnreachable = true;
  say(d);
  t.is(d.toUe.length, 1);
  const error = icmpError(UE.address, CORE.address, udpPacket(CORE, UE));
  t.is(d.client.packet(error, 0, error.length, d.now), FAULTS.NO_BINDING);
  t.is(d.toUe.length, 1);
});

test('[M-10] a wrong password: refused at once, asked about again at growing intervals', (t) => {
  const d = newDirect(WRONG);
  t.is(say(d), 0);
  t.deepEqual(outages(d), [true]);
  t.is(d.said('closed')[0]?.code, 401);
  t.is(d.toUe.length, 1, 'the packet that waited is answered');
  t.is(say(d), FAULTS.NO_TUNNEL);
  const start = d.now;
  while (d.now < start + 60_000) {
    say(d);
    d.wait(20);
  }
  const attempts = d.said('connect').length;
  t.true(attempts >= 6 && attempts <= 9, `${attempts}`);
  t.deepEqual(outages(d), [true]);
});

test('[M-10] a refused bind says so, and is no outage', (t) => {
  const d = newDirect({}, { server: { quota: { bindingsPerTunnel: 1 } } });
  t.is(say(d), 0);
  t.is(d.toUe.length, 1);
  t.is(say(d), FAULTS.BINDING_REFUSED);
  t.is(d.toUe.length, 2);
  t.deepEqual(outages(d), []);
});

test('[W-7] a lost tunnel is an outage only when LIFETIME is over', (t) => {
  const d = newDirect();
  say(d);
  d.wait(6_000);
  d.isUnreachable = true;
  d.cutAll();
  const start = d.now;
  while (d.now < start + LIFETIME_MS - 1_000) {
    t.is(say(d), 0);
    d.wait(1_000);
  }
  t.deepEqual(outages(d), []);
  t.is(d.client.counters.of(FAULTS.NO_CONNECTION), d.client.counters.dropped);
  d.wait(1_100);
  t.deepEqual(outages(d), [true]);
  t.is(say(d), FAULTS.NO_TUNNEL);
  t.is(d.toUe.length, 1);
});

test('[W-7] while TEP-S keeps the bindings, attempts are never more than 4 s apart', (t) => {
  const d = newDirect();
  say(d);
  d.wait(6_000);
  d.isUnreachable = true;
  d.cutAll();
  const start = d.now;
  const times: number[] = [];
  for (let seen = d.said('connect').length; d.now < start + LIFETIME_MS - 1_000; ) {
    d.wait(50);
    if (d.said('connect').length > seen) times.push(d.now - start);
    seen = d.said('connect').length;
  }
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
  t.true(gaps.every((gap) => gap <= 4_050) && gaps.length >= 9, `${gaps}`);
});

test('[G-22] opening that lasts is an outage, though it may still succeed', (t) => {
  const d = newDirect();
  const octets = udpPacket(UE, CORE);
  d.client.packet(octets, 0, octets.length, d.now);
  // `connect` is not answered at all.
  while (d.client.poll() !== undefined);
  t.true(d.client.nextTimeout() <= d.now + OPENING_MS);
  d.now += OPENING_MS;
  d.client.timeout(d.now);
  t.deepEqual(d.client.poll(), { type: 'outage', on: true });
});

test('[M-18] a tunnel that nobody needs is no outage; neither is one that was closed', (t) => {
  const d = newDirect();
  say(d);
  d.client.release(UE, 17, d.now);
  d.wait(20_000);
  t.is(d.client.state, 'closed');
  d.isUnreachable = true;
  say(d);
  t.deepEqual(outages(d), [true]);
  d.client.close(d.now);
  d.run();
  t.deepEqual(outages(d), [true, false]);
});

test('[G-09] kept trying: the outage ends without anybody asking, and the tunnel is not kept', (t) => {
  const d = newDirect({ ...WRONG, keepTrying: true });
  say(d);
  t.is(d.client.state, 'closed');
  const start = d.now;
  d.wait(10 * 60_000);
  const attempts = d.said('connect').length;
  t.true(attempts >= 10 && attempts <= 30, `${attempts} in ${d.now - start} ms`);
  t.deepEqual(outages(d), [true]);
  d.client.close(d.now);
  d.wait(10 * 60_000);
  t.is(d.said('connect').length, attempts, 'closed is closed');
});

test('[G-09] kept trying where nobody listened: the flow is over, the outage ends all the same', (t) => {
  const d = newDirect({ keepTrying: true });
  d.isUnreachable = true;
  say(d);
  d.wait(120_000);
  t.deepEqual(outages(d), [true]);
  t.is(d.client.state, 'opening');
  d.isUnreachable = false;
  d.wait(30_000);
  t.deepEqual(outages(d), [true, false]);
  d.wait(10_000);
  t.is(d.client.state, 'closed', 'nobody needs it');
});
