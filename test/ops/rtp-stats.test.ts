import test from 'ava';
import fc from 'fast-check';
import { RtpStats } from '../../ops/rtp-stats.ts';

/** PCMU: 8 kHz, 20 ms packets of 160 ticks. */
const RATE = 8_000;
const TICKS = 160;
const STEP_MS = 20;

function feed(stats: RtpStats, seqs: readonly number[]): void {
  const first = seqs[0] ?? 0;
  for (const seq of seqs) {
    const index = (seq - first) & 0xffff;
    stats.packet(seq & 0xffff, (index * TICKS) >>> 0, index * STEP_MS);
  }
}

test('nothing yet', (t) => {
  const stats = new RtpStats(RATE);
  t.deepEqual([stats.received, stats.expected, stats.lost, stats.jitterMs], [0, 0, 0, 0]);
});

test('[RFC3550 A.1] sequence numbers wrap, more than once', (t) => {
  const stats = new RtpStats(RATE);
  for (let i = 0; i < 200_000; i++) stats.packet((65_530 + i) & 0xffff, i * TICKS, i * STEP_MS);
  t.is(stats.received, 200_000);
  t.is(stats.expected, 200_000);
  t.is(stats.lost, 0);
  t.is(stats.reordered, 0);
  t.true(stats.jitterMs < 1e-6);
});

test('[RFC3550 A.3] loss is what is missing between first and highest', (t) => {
  const stats = new RtpStats(RATE);
  feed(stats, [65_534, 65_535, 1, 2, 5]);
  t.is(stats.expected, 8);
  t.is(stats.received, 5);
  t.is(stats.lost, 3);
});

test('[RFC3550 A.1] late packets fill their gap; a packet before the first moves the beginning', (t) => {
  const stats = new RtpStats(RATE);
  t.is(stats.packet(10, 0, 0), 'in-order');
  t.is(stats.packet(12, 0, 0), 'in-order');
  t.is(stats.packet(11, 0, 0), 'late');
  t.is(stats.packet(9, 0, 0), 'late');
  t.deepEqual([stats.received, stats.expected, stats.lost, stats.reordered], [4, 4, 0, 2]);
});

test('[RFC3550 A.1] duplicates count neither as received nor against loss', (t) => {
  const stats = new RtpStats(RATE);
  feed(stats, [1, 2, 4]);
  t.is(stats.packet(4, 0, 0), 'duplicate');
  t.is(stats.packet(2, 0, 0), 'duplicate');
  t.is(stats.packet(3, 0, 0), 'late');
  t.is(stats.packet(3, 0, 0), 'duplicate');
  t.deepEqual([stats.received, stats.duplicates, stats.lost], [4, 3, 0]);
});

test('[RFC3550 A.1] limits: 2 999 ahead is loss, 3 000 ahead is not of this stream; 99 late is late, 100 not', (t) => {
  const ahead = new RtpStats(RATE);
  ahead.packet(0, 0, 0);
  t.is(ahead.packet(2_999, 0, 0), 'in-order');
  t.is(ahead.packet(2_999 + 3_000, 0, 0), 'discarded');
  t.is(ahead.packet(2_999 - 99, 0, 0), 'late');
  t.is(ahead.packet(2_999 - 100, 0, 0), 'discarded');
  t.is(ahead.discarded, 2);
});

test('[RFC3550 A.1] two packets in sequence far away are a restart; loss before it is kept', (t) => {
  const stats = new RtpStats(RATE);
  feed(stats, [1, 2, 4]);
  t.is(stats.packet(40_000, 7, 0), 'discarded');
  t.is(stats.packet(40_001, 8, 0), 'restart');
  t.is(stats.packet(40_003, 9, 0), 'in-order');
  t.is(stats.expected, 4 + 3);
  t.is(stats.lost, 2);
});

test('[RFC3550 A.8] jitter: a steady shift of 16 ms moves the estimate by a sixteenth of it', (t) => {
  const stats = new RtpStats(RATE);
  stats.packet(0, 0xffff_ffff, 0);
  stats.packet(1, TICKS - 1, 20 + 16);
  t.is(stats.jitterMs, 1);
  stats.packet(2, 2 * TICKS - 1, 40 + 16);
  t.is(stats.jitterMs, 15 / 16);
});

test('any order, loss and repetition inside the window: received and lost add up', (t) => {
  const steps = fc.array(fc.integer({ min: -99, max: 120 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65_535 }), steps, (start, walk) => {
      const stats = new RtpStats(RATE);
      const seen = new Set<number>();
      let highest = 0;
      stats.packet(start, 0, 0);
      seen.add(0);
      for (const step of walk) {
        const at = highest + step;
        const fresh = !seen.has(at);
        const arrival = stats.packet((start + at) & 0xffff, 0, 0);
        if (fresh === (arrival === 'duplicate')) return false;
        seen.add(at);
        highest = Math.max(highest, at);
      }
      const expected = highest - Math.min(...seen) + 1;
      return stats.received === seen.size && stats.lost === expected - seen.size;
    }),
    { seed: 2, numRuns: 500 },
  );
  t.pass();
});
