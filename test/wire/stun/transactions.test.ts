import test from 'ava';
import {
  datagramSchedule,
  MAX_TRANSACTIONS,
  STREAM_SCHEDULE,
  TransactionTable,
} from '../../../wire/stun/transactions.ts';

const OCTETS = Uint8Array.of(1);

function id(n: number): Uint8Array {
  return new Uint8Array(12).fill(n);
}

test('[B5] RTO 500, Rc 7, Rm 16 give the times of RFC 8489 6.2.1', (t) => {
  t.deepEqual(datagramSchedule(), {
    sendsMs: [0, 500, 1500, 3500, 7500, 15500, 31500],
    failureMs: 39500,
  });
});

test('[B5] over UDP a request is sent 7 times and fails after 39.5 s', (t) => {
  const table = new TransactionTable<string>(datagramSchedule());
  t.true(table.start(id(1), OCTETS, 'a', 10_000));
  const sends: number[] = [];
  for (;;) {
    const now = table.nextTimeout();
    t.is(table.poll(now - 1), undefined);
    const event = table.poll(now);
    if (event?.type !== 'send') {
      t.deepEqual(event, { type: 'timeout', context: 'a' });
      t.is(now - 10_000, 39_500);
      break;
    }
    t.is(event.octets, OCTETS);
    sends.push(now - 10_000);
  }
  t.deepEqual(sends, [500, 1500, 3500, 7500, 15500, 31500]);
  t.is(table.nextTimeout(), Number.POSITIVE_INFINITY);
  t.is(table.size, 0);
});

test('[B5] over TCP a request is sent once and fails after Ti', (t) => {
  const table = new TransactionTable<string>(STREAM_SCHEDULE);
  table.start(id(1), OCTETS, 'a', 0);
  t.is(table.nextTimeout(), 39_500);
  t.is(table.poll(39_499), undefined);
  t.deepEqual(table.poll(39_500), { type: 'timeout', context: 'a' });
});

test('[B5] a poll that comes late sends once per call and then times out', (t) => {
  const table = new TransactionTable<string>(datagramSchedule());
  table.start(id(1), OCTETS, 'a', 0);
  const events = [];
  for (let event = table.poll(1e6); event !== undefined; event = table.poll(1e6)) {
    events.push(event.type);
  }
  t.deepEqual(events, [...Array(6).fill('send'), 'timeout']);
});

test('[B5] the answer ends its own transaction; its time counts only if sent once', (t) => {
  const table = new TransactionTable<string>(datagramSchedule());
  table.start(id(1), OCTETS, 'a', 0);
  table.start(id(2), OCTETS, 'b', 100);
  t.is(table.match(id(2)), 'b');
  t.is(table.match(id(3)), undefined);
  t.is(table.finish(id(3), 200), undefined);
  t.deepEqual(table.finish(id(2), 200), { rttMs: 100 });
  t.is(table.match(id(2)), undefined);
  t.is(table.poll(500)?.type, 'send');
  t.deepEqual(table.finish(id(1), 600), { rttMs: undefined });
});

test('[B5] the table is bounded, and takes an id only once', (t) => {
  const table = new TransactionTable<number>(STREAM_SCHEDULE);
  t.true(table.start(id(0), OCTETS, 0, 0));
  t.false(table.start(id(0), OCTETS, 0, 0));
  for (let i = 1; i < MAX_TRANSACTIONS; i++) t.true(table.start(id(i), OCTETS, i, 0));
  t.false(table.start(id(99), OCTETS, 99, 0));
  t.is(table.fail().length, MAX_TRANSACTIONS);
  t.is(table.size, 0);
});
