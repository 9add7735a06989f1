import test from 'ava';
import fc from 'fast-check';
import { CELL_LEN } from '../../../session/media/cells.ts';
import { DEADLINES_MS, MEDIA_CLASSES, type MediaClass } from '../../../session/media/classes.ts';
import { LANE_DROPS } from '../../../session/media/lane.ts';
import { ScriptedQueue } from './scripted-queue.ts';

const { STUN, RTCP, AUDIO, VIDEO, OTHER } = MEDIA_CLASSES;

test('[G-25] STUN before RTCP before audio before video before the rest', (t) => {
  const q = new ScriptedQueue();
  for (const c of [OTHER, VIDEO, AUDIO, RTCP, STUN]) q.offer(q.lane(`${c}`, c));
  t.deepEqual(q.takeAll(), [4, 3, 2, 1, 0]);
});

test('[G-25] flows of one class take turns, by octets and not by packets', (t) => {
  const q = new ScriptedQueue();
  const long = q.lane('long', AUDIO);
  const short = q.lane('short', AUDIO);
  for (let i = 0; i < 60; i++) q.offer(long, 1_000);
  for (let i = 0; i < 60; i++) q.offer(short, 200);
  for (let i = 0; i < 48; i++) q.take();
  const octets = (lane: unknown, length: number) =>
    q.taken.filter((taken) => taken.lane === lane).length * length;
  t.true(Math.abs(octets(long, 1_000) - octets(short, 200)) <= 2 * 1_500);
});

for (const c of [STUN, RTCP, AUDIO, VIDEO, OTHER]) {
  test(`[G-25] class ${c}: at the deadline it is dropped, a millisecond before it goes`, (t) => {
    const q = new ScriptedQueue();
    const lane = q.lane('a', c);
    q.offer(lane);
    q.now += DEADLINES_MS[c] - 1;
    q.offer(lane);
    t.is(q.queue.dueMs(), q.now + 1);
    t.is(q.take(), 0);
    q.now += DEADLINES_MS[c];
    t.is(q.take(), -1);
    t.deepEqual(q.dropped, ['media-too-old']);
    t.is(lane.drops[LANE_DROPS.AGE], 1);
    t.is(q.queue.octets, 0);
  });
}

test('[G-25] what is too old goes when it is time, though nobody takes anything', (t) => {
  const q = new ScriptedQueue();
  q.offer(q.lane('a', AUDIO));
  q.now += 100;
  q.offer(q.lane('b', AUDIO));
  q.now += 50;
  q.queue.timeout(q.now);
  t.is(q.queue.packets, 1);
  t.is(q.queue.dueMs(), q.now + 100);
  q.now += 100;
  q.queue.timeout(q.now);
  t.is(q.queue.dueMs(), 11_100);
  t.deepEqual(q.dropped, ['media-too-old', 'media-too-old']);
});

test('[G-25] full: the oldest of the longest lane of the least important class makes room', (t) => {
  const q = new ScriptedQueue(6 * CELL_LEN);
  const audio = q.lane('audio', AUDIO);
  const long = q.lane('long', OTHER);
  const short = q.lane('short', OTHER);
  q.offer(short);
  q.offer(long);
  q.offer(long);
  q.offer(audio);
  q.offer(audio);
  q.offer(audio);
  t.is(q.offer(audio), 6);
  t.is(long.drops[LANE_DROPS.FULL], 1);
  t.is(q.offer(audio), 7);
  t.is(q.offer(audio), 8);
  // Only audio waits now: it makes room for audio and for what is above it, not for what is below.
  t.is(q.offer(audio), 9);
  t.is(q.offer(q.lane('rtcp', RTCP)), 10);
  t.is(q.offer(short), 'media-too-full');
  t.deepEqual(q.takeAll(), [10, 5, 6, 7, 8, 9]);
  t.is(q.dropped.length, 5);
});

test('[G-25] a packet longer than all of the queue costs nobody else a place', (t) => {
  const q = new ScriptedQueue(4 * CELL_LEN);
  q.offer(q.lane('a', OTHER));
  t.is(q.offer(q.lane('b', AUDIO), 4 * CELL_LEN + 1), 'media-too-full');
  t.is(q.offer(q.lane('b', AUDIO), 4 * CELL_LEN), 2);
  t.deepEqual(q.dropped, ['media-too-full']);
});

test('[G-25] a video frame that lost a piece goes whole, the next one stays', (t) => {
  const q = new ScriptedQueue();
  const video = q.lane('video', VIDEO);
  q.offer(video, 1_200, 90);
  q.now += 200;
  q.offer(video, 1_200, 90);
  q.offer(video, 1_200, 180);
  q.now += 100;
  // The first piece is 300 ms old now.
  t.is(q.take(), 2);
  t.deepEqual(q.dropped, ['media-too-old', 'media-frame']);
  t.is(q.offer(video, 1_200, 90), 'media-frame');
  t.is(q.offer(video, 1_200, 180), 4);
  t.is(video.drops[LANE_DROPS.FRAME], 2);
});

test('[G-25] a video frame begins in the first half of its time or not at all', (t) => {
  const q = new ScriptedQueue();
  const video = q.lane('video', VIDEO);
  q.offer(video, 1_200, 90);
  q.offer(video, 1_200, 90);
  q.offer(video, 1_200, 180);
  t.is(q.queue.dueMs(), q.now + 150);
  q.now += 149;
  t.is(q.take(), 0);
  q.now += 150;
  // It has begun: its rest may take all of the time. The next one has not.
  t.is(q.take(), 1);
  t.is(q.take(), -1);
  t.deepEqual(q.dropped, ['media-too-old']);
});

test('[G-25] pieces of a frame that lost one go too when those of another source came between', (t) => {
  const q = new ScriptedQueue();
  const video = q.lane('video', VIDEO);
  q.offer(video, 1_200, 90);
  q.now += 200;
  q.offer(video, 1_200, 7_000);
  q.offer(video, 1_200, 90);
  q.offer(video, 1_200, 7_000);
  q.now += 100;
  t.deepEqual(q.takeAll(), [1, 3]);
  t.deepEqual(q.dropped, ['media-too-old', 'media-frame']);
});

test('[G-25] when the tunnel ends all that waits is dropped and counted, and no flow is kept', (t) => {
  const q = new ScriptedQueue();
  const video = q.lane('video', VIDEO);
  for (const frame of [90, 90, 180]) q.offer(video, 1_200, frame);
  q.offer(q.lane('audio', AUDIO));
  q.queue.clear();
  t.deepEqual(q.dropped, ['media-ended', 'media-ended', 'media-ended', 'media-ended']);
  t.is(video.drops[LANE_DROPS.ENDED], 3);
  t.is(video.next, undefined);
  t.deepEqual([q.queue.packets, q.queue.octets, q.queue.capacity], [0, 0, 0]);
  t.is(q.queue.dueMs(), Number.POSITIVE_INFINITY);
  t.is(q.offer(video, 1_200, 180), 4);
  t.deepEqual(q.takeAll(), [4]);
});

test('[G-25] room that is made at the cost of a frame is not for its own rest', (t) => {
  const q = new ScriptedQueue(6 * CELL_LEN);
  const video = q.lane('video', VIDEO);
  q.offer(video, 1_200, 90);
  q.offer(video, 1_200, 90);
  t.is(q.offer(video, 1_200, 90), 'media-frame');
  t.is(q.queue.packets, 0);
  t.is(q.offer(video, 1_200, 180), 3);
});

test('[G-25] how long packets had waited is told in buckets', (t) => {
  const q = new ScriptedQueue();
  const lane = q.lane('a', AUDIO);
  for (const waitMs of [0, 1, 4, 60, 149]) {
    q.offer(lane);
    q.now += waitMs;
    q.take();
  }
  t.deepEqual([...lane.ages], [1, 1, 1, 0, 0, 0, 1, 1, 0, 0]);
});

test('[G-25] memory comes with what waits and goes when nothing has waited for 10 s', (t) => {
  const q = new ScriptedQueue(100 * CELL_LEN);
  t.is(q.queue.capacity, 0);
  for (let i = 0; i < 100; i++) q.offer(q.lane('a', AUDIO));
  t.is(q.queue.capacity, 100 * CELL_LEN);
  q.takeAll();
  q.now += 9_999;
  q.queue.timeout(q.now);
  t.is(q.queue.capacity, 100 * CELL_LEN);
  q.now += 1;
  t.is(q.queue.dueMs(), q.now);
  q.queue.timeout(q.now);
  t.is(q.queue.capacity, 0);
  t.is(q.queue.dueMs(), Number.POSITIVE_INFINITY);
  t.is(q.offer(q.lane('a', AUDIO)), 100);
  t.is(q.take(), 100, 'and comes again');
});

interface Step {
  readonly lane: number;
  readonly length: number;
  readonly frame: number;
  readonly waitMs: number;
  readonly takes: number;
}

const STEPS = fc.array(
  fc.record({
    lane: fc.integer({ min: 0, max: 11 }),
    length: fc.oneof(fc.integer({ min: 4, max: 1_500 }), fc.integer({ min: 4, max: 9_000 })),
    frame: fc.integer({ min: 0, max: 5 }),
    waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 120 })),
    takes: fc.integer({ min: 0, max: 3 }),
  }),
  { maxLength: 200 },
);

/** Twelve lanes over the five classes. */
function run(q: ScriptedQueue, steps: readonly Step[], after: () => void): Map<number, number> {
  const offeredMs = new Map<number, number>();
  for (const { lane: index, length, frame, waitMs, takes } of steps) {
    const mediaClass = (index % 5) as MediaClass;
    const lane = q.lane(`${index}`, mediaClass);
    const number = q.offer(lane, length, mediaClass === VIDEO ? frame : -1);
    if (typeof number === 'number') offeredMs.set(number, q.now);
    q.now += waitMs;
    for (let i = 0; i < takes; i++) q.take();
    after();
  }
  return offeredMs;
}

test('[G-25] property: never reordered in a lane, never late, never above the bound, all counted', (t) => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const limit = 20 * CELL_LEN;
      const q = new ScriptedQueue(limit);
      const offeredMs = run(q, steps, () => {
        if (q.queue.octets > limit || q.queue.capacity > limit) throw new Error('above the bound');
      });
      q.takeAll();
      const last = new Map<unknown, number>();
      for (const { number, lane, atMs } of q.taken) {
        if ((last.get(lane) ?? -1) >= number) throw new Error(`${number} was overtaken`);
        last.set(lane, number);
        const ageMs = atMs - (offeredMs.get(number) ?? Number.NaN);
        if (!(ageMs < DEADLINES_MS[lane.mediaClass])) throw new Error(`${ageMs} ms old`);
      }
      const counted = [...q.lanes.values()].reduce(
        (sum, { ages, drops }) => sum + [...ages, ...drops].reduce((a, b) => a + b, 0),
        0,
      );
      if (counted !== steps.length) throw new Error(`${counted} counted of ${steps.length}`);
      if (q.taken.length + q.dropped.length !== offeredMs.size) throw new Error('lost');
      if (q.queue.packets !== 0 || q.queue.octets !== 0) throw new Error('something stayed');
    }),
    { numRuns: 300, seed: 5 },
  );
  t.pass();
});
