/**
 * Seeded runs of everything at once: cuts, silence, restarts, changes of network, binding, releasing,
 * traffic. After each the books must balance, and the tunnels must work again.
 */
import test, { type ExecutionContext } from 'ava';
import type { Counters } from '../../session/counters.ts';
import type { Endpoint } from '../../wire/address.ts';
import { FAULTS } from '../../wire/faults.ts';
import type { Pair } from '../sim/pair.ts';
import type { SeededRandom } from '../sim/random.ts';
import { type ClientSide, type Connection, endpoint, isUp } from '../sim/sides.ts';
import type { Sent } from '../sim/traffic.ts';
import { flows, GATEWAY, LONG_MS, newClient, newPair, pool, relay } from './scenario.ts';

const RUNS = 24;
const STEPS = 150;
const QUEUE_OCTETS = 30_000;
const QUEUE_FAULTS = [
  FAULTS.MEDIA_TOO_OLD,
  FAULTS.MEDIA_TOO_FULL,
  FAULTS.MEDIA_FRAME,
  FAULTS.MEDIA_ENDED,
  FAULTS.NO_CONNECTION,
] as const;

const ADDRESSES = [{ mode: 'reflexive' }, pool('203.0.113.0/30'), relay('203.0.113.5')] as const;

interface Run {
  readonly pair: Pair;
  readonly random: SeededRandom;
  /** What each client wants bound. */
  readonly wanted: Map<ClientSide, Endpoint[]>;
  nextPort: number;
}

/** Chance in a thousand, what happens. */
const OPERATIONS: readonly (readonly [number, (run: Run) => void])[] = [
  [420, (run) => burst(run, 'uplink')],
  [420, (run) => burst(run, 'downlink')],
  [30, cutOne],
  [30, cutLater],
  [20, ({ pair, random }) => some(random, pair.up())?.link.hold()],
  [30, ({ pair }) => releaseAll(pair)],
  [16, bindOne],
  [12, releaseOne],
  [4, ({ pair }) => pair.restartServer()],
  [8, moveOne],
  [10, ({ pair, random }) => setReach(pair, random)],
];

for (let part = 0; part < 4; part++) {
  test(`[W-7] whatever happens, packets arrive right or are counted (part ${part + 1})`, (t) => {
    for (let seed = part; seed < RUNS; seed += 4) chaos(t, seed);
    t.pass();
  });
}

function chaos(t: ExecutionContext, seed: number): void {
  const run = begin(seed);
  const { pair, random } = run;
  for (let step = 0; step < STEPS; step++) {
    pair.clock.runFor(random.chance(0.05) ? random.below(50_000) : random.below(300));
    let dice = random.below(1000);
    const operation = OPERATIONS.find(([chance]) => {
      dice -= chance;
      return dice < 0;
    });
    operation?.[1](run);
  }
  pair.reach = 'server';
  releaseAll(pair);
  for (const { link } of pair.connections) {
    for (const direction of [link.up, link.down]) link.cutAfter(direction, Infinity);
  }
  pair.clock.runFor(LONG_MS);
  for (const [client, ues] of run.wanted) {
    if (ues.length > 0) flows(t, pair, client, ues, `seed ${seed}`);
  }
  if (pair.traffic.wrongs.length > 0) t.fail(`seed ${seed}: ${pair.traffic.wrongs.slice(0, 5)}`);
  for (const line of unbalanced(pair)) t.fail(`seed ${seed}: ${line}`);
}

function begin(seed: number): Run {
  const link = {
    delayMs: 5 + (seed % 7) * 10,
    jitterMs: seed % 3,
    maxPiece: seed % 2 === 0 ? 1460 : 77,
    ...(seed % 5 === 0 && { octetsPerMs: 3, windowOctets: 5000 }),
  };
  const addresses = ADDRESSES[seed % ADDRESSES.length] ?? relay('203.0.113.5');
  const pair = newPair({ seed, link }, { media: { queueOctets: QUEUE_OCTETS }, addresses });
  pair.canListen = () => !pair.random.chance(0.1);
  const run = { pair, random: pair.random, wanted: new Map(), nextPort: 4000 };
  for (const name of ['alice', 'bob']) {
    const outer = name === 'alice' ? '198.51.100.7' : '198.51.100.8';
    const stripes = 1 + (Math.floor(seed / 3) % 3);
    const media = { queueOctets: QUEUE_OCTETS };
    run.wanted.set(newClient(pair, { name, outer, stripes, media }), []);
  }
  for (let i = 0; i < 4; i++) bindOne(run);
  return run;
}

function burst({ pair, random, wanted }: Run, way: 'uplink' | 'downlink'): void {
  const client = some(random, pair.clients);
  const ue = client && some(random, wanted.get(client) ?? []);
  if (client === undefined || ue === undefined) return;
  const isKnown = client.publicOf(ue) !== ue;
  for (let i = random.below(6); isKnown && i >= 0; i--) {
    pair[way](client, ue, GATEWAY, random.chance(0.05) ? 9000 : random.below(1300));
  }
}

function cutOne({ pair, random }: Run): void {
  some(random, pair.up())?.link.cut({
    clientAfterMs: random.chance(0.5) ? 0 : random.below(5000),
    serverAfterMs: random.chance(0.5) ? 0 : random.below(60_000),
  });
}

function cutLater({ pair, random }: Run): void {
  const link = some(random, pair.up())?.link;
  const direction = random.chance(0.5) ? link?.up : link?.down;
  if (link && direction) link.cutAfter(direction, direction.arrived + 1 + random.below(3000));
}

function bindOne(run: Run): void {
  const client = some(run.random, run.pair.clients);
  if (client === undefined) return;
  const ue = endpoint(`10.0.0.2:${run.nextPort}`);
  run.nextPort += 2;
  run.wanted.get(client)?.push(ue);
  client.bind(ue, { port: 20_000 + run.nextPort });
}

function releaseOne({ random, wanted, pair }: Run): void {
  const client = some(random, pair.clients);
  const ues = client && wanted.get(client);
  const ue = ues && some(random, ues);
  if (client === undefined || ues === undefined || ue === undefined) return;
  ues.splice(ues.indexOf(ue), 1);
  client.release(ue);
}

function moveOne({ pair, random }: Run): void {
  const client = some(random, pair.clients);
  if (client === undefined) return;
  client.outer = `203.0.113.${1 + random.below(200)}`;
  client.cutAll({ serverAfterMs: random.below(60_000) });
}

function setReach(pair: Pair, random: SeededRandom): void {
  pair.reach = some(random, ['server', 'server', 'refused'] as const) ?? 'server';
}

function releaseAll(pair: Pair): void {
  for (const connection of pair.connections) connection.link.release();
}

/** Sums that do not agree, in words. */
function* unbalanced(pair: Pair): Generator<string> {
  const isDelivered = (s: Sent) => s.deliveredBy >= 0;
  const isRefused = (s: Sent) => s.result !== 0;
  for (const client of pair.clients) {
    const { counters } = client.end;
    const mine = (way: string, of: (s: Sent) => boolean) =>
      pair.traffic.sent.filter((s) => s.client === client.index && s.way === way && of(s)).length;
    const waited = droppedWaiting(counters, mine('uplink', isRefusedByQueue));
    yield* same(
      counters.sentRecords + waited,
      mine('uplink', (s) => !isRefused(s)),
      'client sent',
    );
    const dropped = counters.dropped - waited - mine('uplink', isRefused);
    yield* same(counters.receivedRecords, mine('downlink', isDelivered) + dropped, 'client got');
  }
  const sum = (of: 'sentRecords' | 'receivedRecords' | 'dropped') =>
    pair.servers.reduce((total, server) => total + server.end.counters[of], 0);
  const refused = pair.traffic.count('downlink', isRefused);
  const waited =
    pair.servers.reduce((total, { end }) => total + droppedWaiting(end.counters, 0), 0) -
    pair.traffic.count('downlink', isRefusedByQueue);
  yield* same(
    sum('sentRecords') + waited,
    pair.traffic.count('downlink', (s) => !isRefused(s)),
    'server sent',
  );
  const got = pair.traffic.count('uplink', isDelivered) + sum('dropped') - waited - refused;
  yield* same(sum('receivedRecords'), got, 'server got');
  yield* lostElsewhere(pair);
}

/** Packets that were dropped after they had been taken in. */
function droppedWaiting(counters: Counters, refused: number): number {
  return QUEUE_FAULTS.reduce((total, fault) => total + counters.of(fault), -refused);
}

function isRefusedByQueue({ result }: Sent): boolean {
  return QUEUE_FAULTS.some((fault) => fault === result);
}

/** Accepted packets get lost in connections that broke, and nowhere else, but for counted drops. */
function* lostElsewhere(pair: Pair): Generator<string> {
  const lost = pair.traffic.sent.filter((s) => s.result === 0 && s.deliveredBy < 0);
  const written = lost.map((s) => pair.connections[s.writtenTo]).filter((c) => c !== undefined);
  const ends = [...pair.clients, ...pair.servers];
  const dropped = ends.reduce((total, side) => total + side.end.counters.dropped, 0);
  const refused = pair.traffic.sent.filter((s) => s.result !== 0).length;
  const vanished = written.filter(isUp).length;
  if (vanished > dropped - refused) yield `${vanished} written packets vanished`;
  const last = lastWritten(pair);
  const unwritten = lost.filter((sent) => {
    return sent.writtenTo < 0 && !pair.connections.some((c) => diedWith(c, sent, last));
  });
  if (unwritten.length > dropped - refused) {
    yield `${unwritten.map(({ way, number }) => `${way} ${number}`)} were never written`;
  }
}

/** Number of the last packet written to each connection each way. */
function lastWritten(pair: Pair): Map<string, number> {
  return new Map(pair.traffic.sent.map((s) => [`${s.way} ${s.writtenTo}`, s.number]));
}

/** Whether the packet may have waited for this connection till the end: nothing overtakes in a queue. */
function diedWith(c: Connection, sent: Sent, last: Map<string, number>): boolean {
  const goneMs = c.goneMs[sent.way === 'uplink' ? 'client' : 'server'];
  if (c.client.index !== sent.client || goneMs === Infinity) return false;
  if (c.createdMs > sent.sentMs || goneMs < sent.sentMs) return false;
  return (last.get(`${sent.way} ${c.connection}`) ?? -1) < sent.number;
}

function* same(a: number, b: number, what: string): Generator<string> {
  if (a !== b) yield `${what}: ${a} is not ${b}`;
}

function some<Item>(random: SeededRandom, items: readonly Item[]): Item | undefined {
  return items[random.below(items.length)];
}
