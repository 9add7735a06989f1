import test from 'ava';
import { ClockRate } from '../../ops/clock-rate.ts';
import { FlowQuality } from '../../ops/flow-quality.ts';
import { G711, mos } from '../../ops/mos.ts';
import { PlayoutDelay } from '../../ops/playout-delay.ts';

const PCMU = 0;
const H261 = 31;
/** Where the header stands in its buffer. */
const AT = 7;

interface Sent {
  readonly sequence: number;
  readonly timestamp: number;
  readonly payloadType?: number;
  readonly source?: number;
}

function header({ sequence, timestamp, payloadType = PCMU, source = 1 }: Sent): Uint8Array {
  const b = new Uint8Array(AT + 12).fill(0xa5);
  const view = new DataView(b.buffer, AT);
  view.setUint8(0, 0x80);
  view.setUint8(1, payloadType);
  view.setUint16(2, sequence & 0xffff);
  view.setUint32(4, timestamp >>> 0);
  view.setUint32(8, source);
  return b;
}

/** G.711: packet `n` is spoken 20 ms after the one before. */
function spoken(n: number): Sent {
  return { sequence: 65_500 + n, timestamp: 2 ** 32 - 5_000 + 160 * n };
}

function hears(flow: FlowQuality, sent: Sent, atMs: number): void {
  flow.packet(header(sent), AT, atMs);
}

test('a call without a fault, over the wraps of number and timestamp', (t) => {
  const flow = new FlowQuality();
  for (let n = 0; n < 500; n++) hears(flow, spoken(n), 1_000 + 20 * n);
  t.deepEqual(flow.status(), {
    received: 500,
    lost: 0,
    jitterMs: 0,
    stalls: 0,
    longestStallMs: 0,
    lateMs: { p50: 0, p99: 0 },
    // From mouth to ear there is nothing but the collecting of 20 ms.
    mos: mos(G711, 20, 0),
  });
});

test('[G-25] what is missing is loss, and a silence that packets are missing from a stall', (t) => {
  const flow = new FlowQuality();
  for (let n = 0; n < 500; n++) if (n < 100 || n >= 120) hears(flow, spoken(n), 1_000 + 20 * n);
  const { received, lost, stalls, longestStallMs, mos: score = 5 } = flow.status();
  t.deepEqual(
    { received, lost, stalls, longestStallMs },
    { received: 480, lost: 20, stalls: 1, longestStallMs: 420 },
  );
  // One gap of 20 is worse than 20 gaps of one (G.107, BurstR).
  const scattered = new FlowQuality();
  for (let n = 0; n < 500; n++) if (n % 25 !== 12) hears(scattered, spoken(n), 1_000 + 20 * n);
  t.is(scattered.status().lost, 20);
  t.true(score < (scattered.status().mos ?? 0) - 0.02);
});

test('[G-25] packets held back and then all delivered are a stall, and late', (t) => {
  const flow = new FlowQuality();
  for (let n = 0; n < 500; n++) {
    const dueMs = 1_000 + 20 * n;
    hears(flow, spoken(n), n >= 100 && n < 110 ? 1_000 + 20 * 110 : dueMs);
  }
  const { lost, stalls, longestStallMs, lateMs } = flow.status();
  t.deepEqual({ lost, stalls, longestStallMs }, { lost: 0, stalls: 1, longestStallMs: 220 });
  t.is(lateMs.p50, 0);
  t.true(lateMs.p99 > 100 && lateMs.p99 < 200);
});

test('a speaker who says nothing stalls nobody', (t) => {
  const flow = new FlowQuality();
  for (let n = 0; n < 100; n++) hears(flow, spoken(n), 1_000 + 20 * n);
  // Silence suppressed for 3 s: the next number, a timestamp 3 s later (RFC 3551 4.1).
  for (let n = 100; n < 200; n++) {
    const { sequence, timestamp } = spoken(n);
    hears(flow, { sequence, timestamp: timestamp + 24_000 }, 4_000 + 20 * n);
  }
  t.like(flow.status(), { lost: 0, stalls: 0, longestStallMs: 0 });
});

test('[G-25] a stall counts from its 101st millisecond on, and once', (t) => {
  const flow = new FlowQuality();
  for (let n = 0; n < 50; n++) hears(flow, spoken(n), 1_000 + 20 * n);
  const lastMs = 1_980;
  t.like(flow.status(0, lastMs + 100), { stalls: 0, longestStallMs: 0 });
  t.like(flow.status(0, lastMs + 101), { stalls: 1, longestStallMs: 101 });
  t.like(flow.status(0, lastMs + 5_000), { stalls: 1, longestStallMs: 5_000 });
  t.like(flow.status(0, lastMs + 10_000), { stalls: 0, longestStallMs: 0 }, 'it has ended');
  t.like(flow.status(), { stalls: 0 }, 'nothing is said of what may follow');
  hears(flow, spoken(60), 2_200);
  t.like(flow.status(0, 2_210), { stalls: 1, longestStallMs: 220 });
});

test('[G-25] of a speaker who pauses, a silence is a stall when it is longer than that', (t) => {
  const flow = new FlowQuality();
  for (let n = 0; n < 50; n++) hears(flow, spoken(n), 1_000 + 20 * n);
  const { sequence, timestamp } = spoken(50);
  hears(flow, { sequence, timestamp: timestamp + 8_000 - 160 }, 2_980);
  t.like(flow.status(0, 2_980 + 1_100), { stalls: 0 });
  t.like(flow.status(0, 2_980 + 1_101), { stalls: 1, longestStallMs: 1_101 });
});

test('late by the way is told from late by clocks that drift', (t) => {
  const delay = new PlayoutDelay();
  let worst = 0;
  // 200 ppm for an hour: 720 ms in all.
  for (let n = 0; n < 180_000; n++) worst = Math.max(worst, delay.packet(20 * n, 20.004 * n));
  t.true(worst < 5);
  t.is(delay.packet(3_600_000, 3_600_720 + 60) > 55, true);
});

test('another source on the port is not mixed in, and followed when the first has ended', (t) => {
  const flow = new FlowQuality();
  for (let n = 0; n < 100; n++) {
    hears(flow, spoken(n), 1_000 + 20 * n);
    hears(flow, { sequence: 7 * n, timestamp: 3 * n, source: 2 }, 1_000 + 20 * n);
  }
  t.like(flow.status(), { received: 100, lost: 0, jitterMs: 0 });
  for (let n = 0; n < 50; n++) {
    hears(flow, { sequence: 40_000 + n, timestamp: 160 * n, source: 2 }, 10_000 + 20 * n);
  }
  t.like(flow.status(), { received: 150, lost: 0, jitterMs: 0, stalls: 0 });
});

test('video has no MOS', (t) => {
  const flow = new FlowQuality();
  for (let n = 0; n < 50; n++) {
    hears(flow, { sequence: n, timestamp: 3_600 * n, payloadType: H261 }, 1_000 + 40 * n);
  }
  t.is(flow.status().mos, undefined);
  t.like(flow.status(), { received: 50, jitterMs: 0 });
});

test('the round trip counts by half, a long one is heard', (t) => {
  const flow = new FlowQuality();
  for (let n = 0; n < 100; n++) hears(flow, spoken(n), 1_000 + 20 * n);
  t.true((flow.status(40).mos ?? 0) > 4.3);
  t.true((flow.status(600).mos ?? 5) < 3.7);
});

test('clock rates of dynamic payload types, from a second of packets with jitter', (t) => {
  for (const rate of [8_000, 16_000, 32_000, 48_000, 90_000]) {
    const clock = new ClockRate();
    for (let n = 0; clock.rate === 0; n++) {
      const late = n % 3 === 0 ? 15 : 0;
      clock.packet(96, (2 ** 32 - 9_000 + n * (rate / 50)) >>> 0, 1_000 + 20 * n + late);
    }
    t.is(clock.rate, rate);
    t.is(clock.isVideo(96), rate === 90_000);
  }
});
