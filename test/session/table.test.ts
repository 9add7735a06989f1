/** The table of states and events: every pair, and what illegal ones do (tep-wire 3, 7). */
import test from 'ava';
import {
  CONNECTION_TABLE,
  type ConnectionEvent,
  type ConnectionState,
  nextConnectionState,
  nextTunnelState,
  TUNNEL_TABLE,
  type TunnelEvent,
  type TunnelState,
} from '../../session/table.ts';
import { FAULTS } from '../../wire/faults.ts';
import { Direct, endpoint } from './direct.ts';
import { RawServer } from './raw.ts';

/** Written out again, one character an event, so that a slip in the table shows. */
const CONNECTION_EVENTS: ConnectionEvent[] = [
  'carrier-up',
  'carrier-down',
  'challenge',
  'admit',
  'refuse',
  'shut',
];
const CONNECTION: Record<ConnectionState, string> = {
  connecting: 'oX---d',
  opening: '-Xcrdd',
  challenged: '-Xcrdd',
  ready: '-X---d',
  draining: 'dX----',
  closed: '------',
};
const CONNECTION_CODES: Record<string, ConnectionState> = {
  o: 'opening',
  X: 'closed',
  c: 'challenged',
  r: 'ready',
  d: 'draining',
};

const TUNNEL_EVENTS: TunnelEvent[] = [
  'open',
  'remember',
  'admit',
  'carriers-lost',
  'expire',
  'refuse',
  'close',
  'end',
];
const TUNNEL: Record<TunnelState, string> = {
  idle: 'ol------',
  opening: '--u--XX-',
  up: '---l--c-',
  lost: '--u-eXX-',
  closing: '-------X',
  expired: 'o-------',
  closed: 'o-------',
};
const TUNNEL_CODES: Record<string, TunnelState> = {
  o: 'opening',
  u: 'up',
  l: 'lost',
  e: 'expired',
  c: 'closing',
  X: 'closed',
};

for (const [state, row] of Object.entries(CONNECTION) as [ConnectionState, string][]) {
  test(`[W-7] a connection that is ${state}: each event`, (t) => {
    CONNECTION_EVENTS.forEach((event, i) => {
      t.is(nextConnectionState(state, event), CONNECTION_CODES[row[i] ?? ''], event);
    });
  });
}

for (const [state, row] of Object.entries(TUNNEL) as [TunnelState, string][]) {
  test(`[W-7] a tunnel that is ${state}: each event`, (t) => {
    TUNNEL_EVENTS.forEach((event, i) => {
      t.is(nextTunnelState(state, event), TUNNEL_CODES[row[i] ?? ''], event);
    });
  });
}

test('[W-7] every state is reached from the first one, and every one has an end', (t) => {
  for (const [table, first] of [
    [CONNECTION_TABLE, 'connecting'],
    [TUNNEL_TABLE, 'idle'],
  ] as const) {
    const rows: Readonly<Record<string, Readonly<Record<string, string>>>> = table;
    const seen = new Set<string>([first]);
    for (const state of seen) for (const next of Object.values(rows[state] ?? {})) seen.add(next);
    t.deepEqual([...seen].sort(), Object.keys(rows).sort());
  }
});

test('[W-7] events for connections that are not there are counted and change nothing', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  const before = d.clientSaid.length;
  d.client.connected(77, d.now);
  d.client.disconnected(77, d.now);
  d.client.input(77, new Uint8Array(20), 0, 20, d.now);
  d.client.connected(1, d.now);
  t.is(d.client.counters.of(FAULTS.ILLEGAL_EVENT), 4);
  d.server.disconnected(77, d.now);
  d.server.input(77, new Uint8Array(20), 0, 20, d.now);
  t.is(d.server.counters.of(FAULTS.ILLEGAL_EVENT), 2);
  t.is(d.client.pending(77, d.now).length, 0);
  d.client.wrote(77, 5, d.now);
  d.run();
  t.is(d.clientSaid.length, before);
  t.is(d.client.state, 'up');
});

test('[W-7] octets before the carrier is there are an illegal event', (t) => {
  const d = new Direct();
  d.client.open(d.now);
  d.client.input(1, new Uint8Array(20), 0, 20, d.now);
  t.is(d.client.counters.of(FAULTS.ILLEGAL_EVENT), 1);
  d.run();
  t.is(d.client.state, 'up');
});

test('[W-7] octets after this end has decided to close are let go', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  c.ask([{ type: 'TEP-CLOSE', value: true }]);
  c.send(new Uint8Array(100).fill(0xff));
  t.is(raw.server.counters.of(FAULTS.ILLEGAL_EVENT), 0);
  t.deepEqual(
    raw.told('close').map((o) => [o.flush, o.fault]),
    [[true, 0]],
  );
});

test('[W-7] what cannot be flushed within 5 s is cut off', (t) => {
  const raw = new RawServer();
  const c = raw.connection(1);
  c.open();
  raw.server.stop(raw.now);
  t.deepEqual(
    raw.told('close').map((o) => o.flush),
    [true],
  );
  raw.server.timeout(raw.now + 4999);
  t.is(raw.told('close').length, 1);
  raw.server.timeout(raw.now + 5000);
  t.deepEqual(
    raw.told('close').map((o) => o.flush),
    [true, false],
  );
  t.is(raw.server.pending(1, raw.now).length, 0);
  t.is(raw.server.nextTimeout(), Number.POSITIVE_INFINITY);
});

test('[W-7] each change of state is told, in order, and nothing else changes it', (t) => {
  const d = new Direct();
  d.bind('10.0.0.5:4000');
  d.cutAll();
  d.wait(1000);
  d.client.release(endpoint('10.0.0.5:4000'), 17, d.now);
  d.wait(20_000);
  let state: TunnelState = 'idle';
  for (const said of d.said('tunnel-state')) {
    t.is(said.from, state);
    t.is(nextTunnelState(said.from, said.event), said.to);
    state = said.to;
  }
  t.deepEqual(
    d.said('tunnel-state').map((o) => o.to),
    ['opening', 'up', 'lost', 'up', 'closing', 'closed'],
  );
  const connections = new Map<number, ConnectionState>();
  for (const said of [...d.said('connection-state')]) {
    t.is(said.from, connections.get(said.conn) ?? 'connecting');
    connections.set(said.conn, said.to);
  }
  t.deepEqual([...new Set(connections.values())], ['closed']);
});
