/**
 * What may be under way on a path with a queue before its narrowest link (G-25): a fluid model of the link, a
 * sender that uses the whole budget, and the round trip smoothed as TCP does (RFC 6298).
 */
import test from 'ava';
import { Connection } from '../../../session/connection.ts';
import { PathBudget } from '../../../session/media/path-budget.ts';

const SEGMENT = 1_400;
const SMOOTHING = 8;

class NarrowLink {
  readonly budget = new PathBudget();
  readonly #c = new Connection(0, 'ready', {}, 0);
  readonly #perMs: number;
  #baseMs: number;
  #now = 1_000;
  #rttMs: number;
  #queue = 0;
  #underWay = 0;
  /** What was carried, until it is acknowledged: octets and their round trip, a place for each ms. */
  readonly #way: { readonly octets: number; readonly rttMs: number }[] = [];

  constructor(kbit: number, baseMs: number) {
    this.#perMs = kbit / 8;
    this.#baseMs = baseMs;
    this.#rttMs = baseMs;
    this.#tell();
  }

  /** Sends what the budget allows, so much in a millisecond at most; the longest queue and what was carried. */
  run(ms: number, mostPerMs = Number.POSITIVE_INFINITY): { queueMs: number; octets: number } {
    let queueMs = 0;
    let octets = 0;
    for (let i = 0; i < ms; i++) {
      this.#now += 1;
      this.#acknowledge();
      this.#tell();
      this.#send(mostPerMs);
      octets += this.#carry();
      queueMs = Math.max(queueMs, this.#queue / this.#perMs);
    }
    return { queueMs, octets };
  }

  /** Another route. */
  become(baseMs: number): void {
    this.#baseMs = baseMs;
  }

  #send(most: number): void {
    for (let sent = 0; sent + SEGMENT <= most; sent += SEGMENT) {
      if (!this.budget.allows([this.#c], SEGMENT)) return;
      this.#queue += SEGMENT;
      this.#underWay += SEGMENT;
      this.#tell();
    }
  }

  #carry(): number {
    const octets = Math.min(this.#queue, this.#perMs);
    this.#way.push({ octets, rttMs: this.#baseMs + this.#queue / this.#perMs });
    this.#queue -= octets;
    return octets;
  }

  #acknowledge(): void {
    while (this.#way.length >= this.#baseMs) {
      const { octets = 0, rttMs = 0 } = this.#way.shift() ?? {};
      this.#underWay -= octets;
      this.#rttMs += ((rttMs - this.#rttMs) / SMOOTHING) * Math.min(1, octets / SEGMENT);
    }
  }

  #tell(): void {
    const { carrier } = this.#c;
    carrier.learn(
      { outstanding: this.#underWay, isTroubled: false, rttMs: this.#rttMs },
      this.#now,
    );
    this.budget.learnt(this.#c, [this.#c], this.#now);
  }
}

for (const [kbit, baseMs] of [
  [700, 40],
  [1_500, 40],
  [1_500, 100],
  [8_000, 20],
] as const) {
  test(`[G-25] ${kbit} kbit/s, ${baseMs} ms: full, and audio finds less than 100 ms of queue`, (t) => {
    const link = new NarrowLink(kbit, baseMs);
    link.run(5_000);
    const { queueMs, octets } = link.run(10_000);
    t.true(queueMs < 100, `${queueMs} ms`);
    t.true(octets / (10_000 * (kbit / 8)) > 0.9, `${octets} octets`);
  });
}

for (const [kbit, baseMs] of [
  [700, 40],
  [1_500, 40],
  [1_500, 100],
  [8_000, 20],
] as const) {
  test(`[G-25] ${kbit} kbit/s, ${baseMs} ms: our own queue is never taken for the length of the way`, (t) => {
    const link = new NarrowLink(kbit, baseMs);
    link.run(60_000);
    const { queueMs, octets } = link.run(60_000);
    t.true(queueMs < 100, `${queueMs} ms`);
    t.true(octets / (60_000 * (kbit / 8)) > 0.9, `${octets} octets`);
  });
}

test('[G-25] a way that has become longer is not taken for a queue for more than 20 s', (t) => {
  const link = new NarrowLink(1_500, 40);
  link.run(10_000);
  link.become(200);
  t.true(link.run(5_000).octets < 0.5 * 5_000 * (1_500 / 8), 'at first it is');
  link.run(20_000);
  const { queueMs, octets } = link.run(10_000);
  t.true(octets > 0.9 * 10_000 * (1_500 / 8), `${octets} octets`);
  t.true(queueMs < 100, `${queueMs} ms`);
});

test('[G-25] what is under way keeps a shorter way as slow as the longer one was: emptying shows it', (t) => {
  const link = new NarrowLink(1_500, 200);
  link.run(10_000);
  link.become(40);
  t.true(link.run(2_000).queueMs > 150);
  link.run(20_000);
  const { queueMs } = link.run(10_000);
  t.true(queueMs < 100, `${queueMs} ms`);
});

test('[G-25] what was not used up does not grow', (t) => {
  const link = new NarrowLink(100_000, 20);
  const before = link.budget.octets;
  // 1,400 octets in a millisecond for 20 ms would be 28,000 under way.
  for (let i = 0; i < 100; i++) {
    link.run(1, SEGMENT);
    link.run(19, 0);
  }
  t.is(link.budget.octets, before);
});

test('[G-25] a packet may go while nothing is under way, however long it is', (t) => {
  const budget = new PathBudget();
  const c = new Connection(0, 'ready', {}, 0);
  c.carrier.learn({ outstanding: 0, isTroubled: false, rttMs: 40 }, 0);
  t.true(budget.allows([c], 65_000));
  c.carrier.learn({ outstanding: 1, isTroubled: false, rttMs: 40 }, 1);
  t.false(budget.allows([c], 65_000));
});

test('[G-25] nothing is held back where the system tells nothing', (t) => {
  const budget = new PathBudget();
  const c = new Connection(0, 'ready', {}, 0);
  c.queue.push(new Uint8Array(60_000), 0, 60_000);
  t.true(budget.allows([c], 1_400));
});

test('[G-25] a path that somebody else fills gets 8 KiB still', (t) => {
  const budget = new PathBudget();
  const c = new Connection(0, 'ready', {}, 0);
  c.carrier.learn({ outstanding: 0, isTroubled: false, rttMs: 40 }, 0);
  for (let now = 1_000; now < 60_000; now += 1_000) {
    c.carrier.learn({ outstanding: 9_000, isTroubled: false, rttMs: 800 }, now);
    budget.learnt(c, [c], now);
  }
  t.is(budget.octets, 8_192);
});
