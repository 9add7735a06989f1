/** The send queue: bounded, whole records only, octets that do not move (tep-wire 6, G-25). */
import test from 'ava';
import { CONTROL_RESERVE, SendQueue } from '../../session/send-queue.ts';
import { seededRandom } from '../sim/random.ts';

const LIMIT = 70_000;

function record(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i) & 0xff);
}

test('[G-25] what goes in comes out, in order, however little is taken at a time', (t) => {
  const random = seededRandom(11);
  const queue = new SendQueue(LIMIT);
  const sent: number[] = [];
  const taken: number[] = [];
  for (let i = 0; i < 5000; i++) {
    const octets = record(1 + random.below(random.chance(0.05) ? 9000 : 200), random.below(256));
    const control = random.chance(0.1) && octets.length <= 1500;
    if (control ? queue.pushControl(octets) : queue.push(octets, 0, octets.length)) {
      for (const octet of octets) sent.push(octet);
    }
    const pending = queue.pending();
    const n = random.chance(0.1) ? pending.length : random.below(Math.min(400, pending.length + 1));
    for (const octet of pending.subarray(0, n)) taken.push(octet);
    queue.wrote(n);
  }
  while (queue.length > 0) {
    const pending = queue.pending();
    for (const octet of pending) taken.push(octet);
    queue.wrote(pending.length);
  }
  t.true(sent.length > 300_000);
  t.is(taken.length, sent.length);
  t.true(taken.every((octet, i) => octet === sent[i]));
});

test('[G-25] data is refused at the limit, whole, and control has its reserve', (t) => {
  const queue = new SendQueue(1000);
  const octets = record(100, 0);
  for (let i = 0; i < 10; i++) t.true(queue.push(octets, 0, 100));
  t.false(queue.push(octets, 0, 1));
  t.is(queue.length, 1000);
  let reserve = 0;
  while (queue.pushControl(record(1000, 0))) reserve += 1000;
  t.is(reserve, CONTROL_RESERVE);
  t.false(queue.pushControl(record(4, 0)));
  queue.wrote(queue.pending().length);
  t.true(queue.push(octets, 0, 100));
});

test('[G-25] what is being written does not move while more comes in', (t) => {
  const queue = new SendQueue(LIMIT);
  queue.push(record(300, 1), 0, 300);
  const pending = queue.pending();
  for (let i = 0; i < 100; i++) queue.push(record(600, i), 0, 600);
  t.deepEqual(pending, record(300, 1));
  t.is(queue.pending().buffer, pending.buffer);
  queue.wrote(299);
  t.deepEqual(queue.pending(), record(300, 1).subarray(299));
  queue.wrote(1);
  t.is(queue.pending().length, 60_000);
});

test('[G-25] memory: at most twice the limit, and given back when it is empty', (t) => {
  const queue = new SendQueue(LIMIT);
  t.is(queue.capacity, 0);
  const most = 2 * (LIMIT + CONTROL_RESERVE);
  for (let round = 0; round < 50; round++) {
    while (queue.push(record(1000, round), 0, 1000)) t.true(queue.capacity <= most);
    while (queue.pushControl(record(1000, round))) t.true(queue.capacity <= most);
    const pending = queue.pending();
    queue.wrote(round % 2 === 0 ? pending.length : Math.floor(pending.length / 2));
  }
  t.true(queue.capacity <= most);
  while (queue.length > 0) queue.wrote(queue.pending().length);
  t.true(queue.capacity <= 65_536 * 2);
  queue.clear();
  t.is(queue.capacity, 0);
});

test('[G-25] a record as long as a packet can be, from the middle of a buffer', (t) => {
  const queue = new SendQueue(LIMIT);
  const b = new Uint8Array(66_000).fill(0xa5);
  b.set(record(65_535, 3), 200);
  t.true(queue.push(b, 200, 200 + 65_535));
  t.deepEqual(queue.pending(), record(65_535, 3));
});

test('wrote more than was pending is our own mistake', (t) => {
  const queue = new SendQueue(LIMIT);
  t.throws(() => queue.wrote(1), { instanceOf: RangeError });
  queue.push(record(10, 0), 0, 10);
  t.throws(() => queue.wrote(1), { instanceOf: RangeError });
  queue.pending();
  t.throws(() => queue.wrote(11), { instanceOf: RangeError });
  t.throws(() => queue.wrote(-1), { instanceOf: RangeError });
  queue.wrote(10);
  t.is(queue.pending().length, 0);
});
