import test from 'ava';
import { Fifo } from '../../session/fifo.ts';

/** All public ports of a server, given back at once (tep-wire 5), and what is told beside. */
const MANY = 150_000;
/** Some ten milliseconds of processor when the work is linear, many seconds when it is square. */
const MOST_US = 1_000_000;

test('what was put in first comes out first, also what comes in between', (t) => {
  const fifo = new Fifo<{ readonly n: number }>();
  t.is(fifo.shift(), undefined);
  for (const n of [1, 2]) fifo.push({ n });
  t.is(fifo.shift()?.n, 1);
  fifo.push({ n: 3 });
  t.deepEqual([fifo.shift()?.n, fifo.shift()?.n, fifo.shift()], [2, 3, undefined]);
  t.is(fifo.shift(), undefined);
  fifo.push({ n: 4 });
  t.is(fifo.shift()?.n, 4);
});

test('[G-22] all tunnels of a server that end together are told of in linear time', (t) => {
  const fifo = new Fifo<{ readonly n: number }>();
  for (let n = 0; n < MANY; n++) fifo.push({ n });
  const before = process.cpuUsage();
  let right = 0;
  for (let n = 0; n < MANY; n++) if (fifo.shift()?.n === n) right += 1;
  const { user, system } = process.cpuUsage(before);
  t.is(right, MANY);
  t.true(user + system < MOST_US, `${user + system} µs`);
});
