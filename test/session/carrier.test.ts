import test from 'ava';
import { Carrier, MOST_ALLOWANCE } from '../../session/carrier.ts';

const OCTETS = 1_000;

/** Something is written; the system takes it after so many milliseconds, 0: at once. */
function write(carrier: Carrier, atMs: number, tookMs: number): void {
  carrier.began(atMs);
  if (tookMs > 0) carrier.took(0, false, atMs);
  carrier.took(OCTETS, true, atMs + tookMs);
}

test('[G-25] what a connection is given doubles while it is taken at once, up to 64 KiB', (t) => {
  const carrier = new Carrier();
  const seen = [carrier.allowance];
  for (let i = 0; i < 4; i++) {
    write(carrier, 100 * i, 2);
    seen.push(carrier.allowance);
  }
  t.deepEqual(seen, [16_384, 32_768, 65_536, 65_536, 65_536]);
  t.is(carrier.allowance, MOST_ALLOWANCE);
});

test('[G-25] a write that had to wait makes the next as short as a segment', (t) => {
  const carrier = new Carrier();
  write(carrier, 0, 3);
  t.is(carrier.allowance, 1_400);
  write(carrier, 10, 0);
  t.is(carrier.allowance, 2_800);
});

test('[G-25] a write that is taken at once did not wait, however long the process was not let run', (t) => {
  const carrier = new Carrier();
  carrier.began(0);
  carrier.took(OCTETS, true, 40);
  t.is(carrier.allowance, 32_768);
});

test('[G-25] a write of which nothing is taken for 100 ms is stuck, one that moves is not', (t) => {
  const carrier = new Carrier();
  carrier.began(1_000);
  t.false(carrier.isStuck(1_100));
  t.true(carrier.isStuck(1_101));
  carrier.took(1, false, 1_150);
  t.false(carrier.isStuck(1_250));
  t.false(carrier.isStalled(2_150));
  t.true(carrier.isStalled(2_151));
  carrier.took(OCTETS, true, 3_000);
  t.false(carrier.isStuck(9_000));
});

test('[G-25] without acknowledgement it is stuck after 100 ms and stalled after 250', (t) => {
  const carrier = new Carrier();
  const learn = (outstanding: number, now: number) =>
    carrier.learn({ outstanding, isTroubled: true, rttMs: 40 }, now);
  write(carrier, 0, 0);
  learn(OCTETS, 0);
  learn(OCTETS, 100);
  t.false(carrier.isStuck(100));
  learn(OCTETS, 101);
  t.true(carrier.isStuck(101));
  t.false(carrier.isStalled(101));
  learn(OCTETS, 251);
  t.true(carrier.isStalled(251));
  // One octet acknowledged is progress.
  learn(OCTETS - 1, 260);
  t.false(carrier.isStuck(260));
});

test('[G-25] on a long way it is given more time: so many round trips', (t) => {
  const carrier = new Carrier();
  write(carrier, 0, 0);
  for (const now of [0, 450]) {
    carrier.learn({ outstanding: OCTETS, isTroubled: false, rttMs: 200 }, now);
  }
  t.false(carrier.isStuck(450));
  carrier.learn({ outstanding: OCTETS, isTroubled: false, rttMs: 200 }, 501);
  t.true(carrier.isStuck(501));
});

test('[G-25] what has come out of order is told once', (t) => {
  const carrier = new Carrier();
  const told = [0, 2, 2, 5, 5].map((outOfOrder, now) => {
    carrier.learn({ outstanding: 0, isTroubled: false, outOfOrder, rttMs: 40 }, now);
    return carrier.hasMissed;
  });
  t.deepEqual(told, [false, true, false, true, false]);
});

test('[G-25] a loss that is being mended is no reason to avoid it', (t) => {
  const carrier = new Carrier();
  write(carrier, 0, 0);
  carrier.learn({ outstanding: OCTETS, isTroubled: true, rttMs: 40 }, 0);
  carrier.learn({ outstanding: OCTETS, isTroubled: true, rttMs: 40 }, 60);
  t.true(carrier.isTroubled);
  t.false(carrier.isStuck(60));
});

test('[G-25] a long write over a slow path gets on as long as something of it is acknowledged', (t) => {
  const carrier = new Carrier();
  carrier.began(0);
  // The system holds as much as it may, takes more as that is acknowledged, and has not got all for two seconds.
  carrier.took(0, false, 0);
  for (let now = 20; now < 2_000; now += 20) {
    const acknowledged = 50 * now;
    carrier.learn({ outstanding: 20_000, acknowledged, isTroubled: false, rttMs: 40 }, now);
    t.false(carrier.isStuck(now), `${now} ms`);
    t.false(carrier.isStalled(now), `${now} ms`);
  }
  carrier.learn({ outstanding: 20_000, acknowledged: 99_000, isTroubled: false, rttMs: 40 }, 2_000);
  carrier.learn({ outstanding: 20_000, acknowledged: 99_000, isTroubled: false, rttMs: 40 }, 2_231);
  t.true(carrier.isStalled(2_231));
});
