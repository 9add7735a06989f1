/** Requests that wait for their answers (RFC 8489 6.2.2). */
import test from 'ava';
import { Transactions } from '../../session/transactions.ts';

test('[B5] a request whose answer was discarded is due when it was, not after later ones', (t) => {
  const waiting = new Transactions();
  const [first, second] = [1, 2].map((n) => ({
    id: new Uint8Array(12).fill(n),
    sentAtMs: n * 1_000,
  }));
  if (first === undefined || second === undefined) throw new RangeError('two');
  waiting.add(first);
  waiting.add(second);
  t.is(waiting.take(first.id), first);
  waiting.add(first);
  t.is(waiting.deadline(), 40_500);
  t.deepEqual(waiting.takeAll().length, 2);
  t.is(waiting.deadline(), Number.POSITIVE_INFINITY);
});
