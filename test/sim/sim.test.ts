/** The simulation itself: a test that stands on a wrong link proves nothing. */
import test from 'ava';
import { FakeClock } from './clock.ts';
import { Link, type LinkEnd, type LinkOptions } from './link.ts';
import { seededRandom } from './random.ts';

class Recorder implements LinkEnd {
  readonly pieces: number[] = [];
  octets: number[] = [];
  goneAtMs = -1;
  writableCount = 0;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  received(octets: Uint8Array): void {
    this.pieces.push(octets.length);
    this.octets.push(...octets);
  }

  writable(): void {
    this.writableCount += 1;
  }

  gone(): void {
    this.goneAtMs = this.#clock.now;
  }
}

function connection(options: LinkOptions = {}, seed = 1) {
  const clock = new FakeClock();
  const client = new Recorder(clock);
  const server = new Recorder(clock);
  const link = new Link(clock, seededRandom(seed), options, { client, server });
  return { clock, client, server, link, start: clock.now };
}

const OCTETS = Uint8Array.from({ length: 200 }, (_, i) => i);

test('the clock runs what is due in order, also what is asked for on the way', (t) => {
  const clock = new FakeClock();
  const random = seededRandom(3);
  const start = clock.now;
  const seen: number[] = [];
  const times = Array.from({ length: 300 }, () => random.below(100));
  times.forEach((ms, i) => {
    clock.at(start + ms, () => seen.push(ms * 1000 + i));
  });
  clock.after(50, () => clock.after(0, () => seen.push(50_999)));
  clock.runUntil(start + 49);
  t.true(seen.every((s) => s < 50_000));
  clock.runFor(1000);
  t.is(seen.length, 301);
  t.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  t.is(clock.now, start + 1049);
  t.false(clock.runUntilTrue(() => false, 10));
  t.is(clock.now, start + 1059);
});

test('octets arrive late, in order, in pieces', (t) => {
  const { clock, server, link, start } = connection({ delayMs: 30, jitterMs: 9, maxPiece: 7 });
  t.is(link.up.write(OCTETS), 200);
  clock.runUntil(start + 29);
  t.is(server.octets.length, 0);
  clock.runUntil(start + 39);
  t.deepEqual(server.octets, [...OCTETS]);
  t.true(server.pieces.length > 200 / 7);
  t.true(server.pieces.every((n) => n >= 1 && n <= 7));
});

test('a rate and a window hold the writer back', (t) => {
  const { clock, client, server, link, start } = connection({
    delayMs: 10,
    octetsPerMs: 2,
    windowOctets: 50,
    maxPiece: 10,
  });
  t.is(link.up.write(OCTETS), 50);
  t.is(link.up.write(OCTETS), 0);
  clock.runUntil(start + 10 + 25);
  t.is(server.octets.length, 50);
  t.true(client.writableCount > 0);
  t.is(link.up.write(OCTETS.subarray(50, 60)), 10);
});

test('a cut lets exactly so many octets through and tells each end in its time', (t) => {
  for (let cutAt = 0; cutAt <= 200; cutAt++) {
    const { clock, client, server, link, start } = connection({ maxPiece: 13 }, cutAt);
    link.cutAfter(link.up, cutAt, { serverAfterMs: 500 });
    link.up.write(OCTETS);
    link.down.write(OCTETS);
    clock.runUntil(start + 1000);
    t.deepEqual(server.octets, [...OCTETS.subarray(0, cutAt)]);
    t.is(client.goneAtMs, start + (cutAt === 0 ? 0 : 20));
    t.is(server.goneAtMs, client.goneAtMs + 500);
  }
});

test('a black hole holds everything and tells nobody; released it is a delay', (t) => {
  const { clock, client, server, link, start } = connection({ windowOctets: 300 });
  link.hold();
  link.up.write(OCTETS);
  clock.runUntil(start + 60_000);
  t.is(link.up.write(OCTETS), 100);
  clock.runUntil(start + 70_000);
  t.is(server.octets.length, 0);
  t.deepEqual([client.goneAtMs, server.goneAtMs], [-1, -1]);
  link.release();
  t.deepEqual(server.octets, [...OCTETS, ...OCTETS.subarray(0, 100)]);
});

test('an end that closes is done at once, the other one after the last octet', (t) => {
  const { clock, client, server, link, start } = connection();
  link.up.write(OCTETS);
  link.down.write(OCTETS);
  link.closedBy('client');
  t.is(client.goneAtMs, start);
  clock.runFor(1000);
  t.deepEqual(server.octets, [...OCTETS]);
  t.is(server.goneAtMs, start + 20);
  t.is(client.octets.length, 0);
});
