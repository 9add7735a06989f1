/** Connections of those who do not authenticate: what they may send, and for how long (standards M-10, G-22). */
import test from 'ava';
import { FAULTS } from '../../wire/faults.ts';
import { encode } from '../../wire/stun/message.ts';
import { START_MS } from './direct.ts';
import { binding, codeOf, OPEN, RawServer } from './raw.ts';

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
