/** What is due next, and when the next attempt is made. */
import test from 'ava';
import { backoffMs, RECONNECT } from '../../session/backoff.ts';
import { Deadlines, type Timed } from '../../session/deadlines.ts';
import { Stripes } from '../../session/stripes.ts';
import { Transactions } from '../../session/transactions.ts';
import { seededRandom } from '../sim/random.ts';

interface Item extends Timed {
  readonly name: number;
}

function item(name: number): Item {
  return { name, dueMs: Number.POSITIVE_INFINITY, heapAt: -1 };
}

test('deadlines come in order under 30 000 random operations', (t) => {
  const random = seededRandom(7);
  const heap = new Deadlines<Item>();
  const items = Array.from({ length: 200 }, (_, i) => item(i));
  const expected = new Map<Item, number>();
  const least = (): number => Math.min(Number.POSITIVE_INFINITY, ...expected.values());
  let now = 0;
  for (let i = 0; i < 30_000; i++) {
    const one = items[random.below(items.length)] ?? item(-1);
    const at = now + random.below(1000);
    const action = random.below(4);
    if (action === 0) {
      heap.set(one, at);
      expected.set(one, at);
    } else if (action === 1) {
      heap.setNoLater(one, at);
      expected.set(one, Math.min(at, expected.get(one) ?? at));
    } else if (action === 2) {
      heap.remove(one);
      expected.delete(one);
    } else {
      now += random.below(20);
      const due = heap.due(now);
      if (least() > now) t.is(due, undefined);
      else t.is(due && expected.get(due), least());
      if (due !== undefined) expected.delete(due);
    }
    if (heap.next() !== least()) t.fail(`${heap.next()} instead of ${least()}`);
  }
  t.pass();
});

test('an item that is not in the heap may be removed again', (t) => {
  const heap = new Deadlines<Item>();
  const one = item(1);
  heap.remove(one);
  heap.set(one, 5);
  t.is(one.dueMs, 5);
  heap.remove(one);
  heap.remove(one);
  t.is(one.dueMs, Number.POSITIVE_INFINITY);
  t.is(heap.due(10), undefined);
});

test('[W-7] delays double from 125–250 ms and stay at 15–30 s', (t) => {
  for (let attempt = 0; attempt < 40; attempt++) {
    const full = Math.min(30_000, 250 * 2 ** attempt);
    t.is(backoffMs(attempt, 0, RECONNECT), full / 2);
    t.is(backoffMs(attempt, 255, RECONNECT), full);
  }
});

test('[W-7] a stripe that was good is tried again at once, one that was not waits', (t) => {
  const stripes = new Stripes(2, (n) => new Uint8Array(n));
  t.is(stripes.due(1, 0), -1);
  stripes.wantFirst(0);
  t.is(stripes.due(1, 0), 0);
  t.is(stripes.due(2, 0), -1);
  stripes.want(2, 10);
  t.is(stripes.due(2, 10), 1);
  stripes.lost(0, 1, 0, 100);
  t.is(stripes.deadline(), 225);
  t.is(stripes.due(3, 225), 0);
  stripes.lost(0, 3, 0, 300);
  t.is(stripes.deadline(), 550);
  t.is(stripes.due(4, 550), 0);
  stripes.lost(0, 4, 5000, 10_000);
  t.is(stripes.deadline(), 10_000);
  t.is(stripes.due(5, 10_000), 0);
  // News of a connection that is this stripe no more.
  stripes.lost(0, 4, 5000, 10_001);
  t.is(stripes.deadline(), Number.POSITIVE_INFINITY);
  stripes.wantNone(1);
  stripes.want(2, 20_000);
  t.is(stripes.due(6, 20_000), 0);
  t.is(stripes.due(7, 20_000), -1);
});

test('[B5] a transaction is found by its id once, and is overdue after 39.5 s', (t) => {
  const transactions = new Transactions<{ id: Uint8Array; sentAtMs: number }>();
  t.is(transactions.deadline(), Number.POSITIVE_INFINITY);
  const first = { id: new Uint8Array(12).fill(1), sentAtMs: 100 };
  const second = { id: new Uint8Array(12).fill(2), sentAtMs: 200 };
  transactions.add(first);
  transactions.add(second);
  t.is(transactions.deadline(), 39_600);
  t.is(transactions.take(new Uint8Array(12)), undefined);
  t.is(transactions.take(first.id.slice()), first);
  t.is(transactions.take(first.id), undefined);
  t.is(transactions.deadline(), 39_700);
  t.deepEqual(transactions.takeAll(), [second]);
  t.deepEqual(transactions.takeAll(), []);
});
