/** First packets that wait for their binding, and what a flood of them may take (standards M-03, G-22; tep-wire 5). */
import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import { pool, udpPacket } from './direct.ts';
import { CORE, CORE6, give, newDirect, say, UE, UE6 } from './phone-flows.ts';

const MAX_OF_FLOW = 64;
const HELD_MS = 1_000;

test('[M-03] what is sent before the binding is there arrives, in order, from the first on', (t) => {
  const d = newDirect();
  for (let i = 0; i < MAX_OF_FLOW + 3; i++) t.is(give(d, udpPacket(UE, CORE, 40 + i)), 0);
  t.is(d.client.counters.of(FAULTS.HELD_TOO_MANY), 3);
  d.run();
  const lengths = d.toCore.map(({ octets }) => octets.length - 28 - 40);
  t.deepEqual(
    lengths,
    Array.from({ length: MAX_OF_FLOW }, (_, i) => i),
  );
});

test('[M-03] a call that begins with a key frame of video: all of it arrives, and the sound', (t) => {
  const d = newDirect();
  const sound = { ...UE, port: 17_000 };
  give(d, udpPacket(sound, CORE, 172));
  for (let i = 0; i < 50; i++) give(d, udpPacket(UE, CORE, 1_200));
  for (let i = 0; i < 45; i++) give(d, udpPacket(sound, CORE, 172));
  t.is(d.client.counters.dropped, 0);
  d.run();
  t.is(d.toCore.length, 96);
});

test('[M-03] of a flow that says more than may wait, what it said first stays whole', (t) => {
  const d = newDirect();
  for (let i = 0; i < 60; i++) give(d, udpPacket(UE, CORE, 1_200 + i));
  const dropped = d.client.counters.of(FAULTS.HELD_TOO_MANY);
  t.true(dropped > 0);
  d.run();
  const lengths = d.toCore.map(({ octets }) => octets.length - 28 - 1_200);
  t.deepEqual(
    lengths,
    Array.from({ length: 60 - dropped }, (_, i) => i),
  );
});

test('[M-03] what has waited for a second is worth nothing any more', (t) => {
  const d = newDirect();
  give(d, udpPacket(UE, CORE, 40));
  d.now += 400;
  give(d, udpPacket(UE, CORE, 41));
  // The tunnel opens, but its answers take their time.
  d.now += HELD_MS - 400;
  t.true(d.client.nextTimeout() <= d.now);
  d.client.timeout(d.now);
  t.is(d.client.counters.of(FAULTS.HELD_TOO_LONG), 1);
  d.run();
  t.deepEqual(
    d.toCore.map(({ octets }) => octets.length),
    [28 + 41],
  );
});

test('[G-22] a refusal is asked about again at growing intervals, not by every packet', (t) => {
  const quota = { bindingsPerTunnel: 2 };
  const d = newDirect({ server: { quota } });
  say(d, UE);
  const other = { ...UE, port: 17_000 };
  const asked: number[] = [];
  const start = d.now;
  while (d.now < start + 30_000) {
    const before = d.said('bind-failed').length;
    const fault = say(d, other);
    say(d, UE);
    if (d.said('bind-failed').length > before) asked.push(d.now - start);
    else t.is(fault, FAULTS.BINDING_REFUSED);
    d.wait(20);
  }
  t.is(d.said('bind-failed')[0]?.code, 486);
  t.true(asked.length >= 4 && asked.length <= 6, `${asked}`);
  const gaps = asked.slice(1).map((at, i) => at - (asked[i] ?? 0));
  gaps.forEach((gap, i) => {
    t.true(gap >= 500 * 2 ** i && gap <= 1000 * 2 ** i + 20, `${gaps}`);
  });
  // The other one still flows, and what it gives back is granted at once.
  d.client.release(UE, 17, d.now);
  t.is(say(d, other), 0);
  t.is(d.said('bound').length, 2);
});

test('[G-22] a family that TEP-S has not got is refused without harm to the other one', (t) => {
  const d = newDirect({ server: { addresses: pool('203.0.113.0/24') } });
  t.is(give(d, udpPacket(UE6, CORE6)), 0);
  d.run();
  t.is(d.said('bind-failed')[0]?.code, 440);
  t.is(d.client.counters.of(FAULTS.BINDING_REFUSED), 1, 'the packet that waited');
  t.is(say(d, UE6, CORE6), FAULTS.BINDING_REFUSED);
  t.is(say(d, UE), 0);
  t.is(d.toCore.length, 1);
});

test('[G-22] a flood of source ports takes no more memory than the limits say', (t) => {
  const d = newDirect({
    client: { maxBindings: 10 },
    server: { quota: { bindingsPerTunnel: 64 } },
  });
  for (let port = 2; port < 60_000; port += 2) {
    give(d, udpPacket({ ...UE, port }, CORE, 1000));
  }
  const { counters } = d.client;
  t.is(d.said('bind-failed').length, 0, 'not polled yet');
  d.run();
  t.is(d.said('bound').length, 10);
  t.is(d.said('bind-failed').length, 1);
  t.is(d.toCore.length, 10);
  t.is(counters.of(FAULTS.BINDING_REFUSED), 29_999 - 10);
});

test('[G-22] all flows together hold 256 packets', (t) => {
  const d = newDirect({ server: { quota: { bindingsPerTunnel: 128 } } });
  for (let i = 0; i < 16; i++) {
    for (let port = 16_400; port < 16_440; port += 2) {
      give(d, udpPacket({ ...UE, port }, CORE, 500));
    }
  }
  t.is(d.client.counters.of(FAULTS.HELD_TOO_MANY), 16 * 20 - 256);
  d.run();
  t.is(d.toCore.length, 256);
});

test('[G-22] the longest packets: one of a flow is held, four of all', (t) => {
  const d = newDirect();
  for (let i = 0; i < 3; i++) give(d, udpPacket(UE, CORE, 65_000));
  t.is(d.client.counters.of(FAULTS.HELD_TOO_MANY), 2);
  for (let port = 17_000; port < 17_008; port += 2) {
    give(d, udpPacket({ ...UE, port }, CORE, 65_000));
  }
  t.is(d.client.counters.of(FAULTS.HELD_TOO_MANY), 3);
  d.run();
  t.is(d.toCore.filter(({ octets }) => octets.length > 65_000).length, 4);
});
