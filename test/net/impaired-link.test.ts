/** The spoilt link of the benches does what it is told, within 5 %: seen from outside, by plain UDP. */
import type { ExecutionContext } from 'ava';
import { Ground } from '../../bench/link/ground.ts';
import type { Faults } from '../../bench/link/impairment.ts';
import { type Deliveries, join } from '../../bench/media/deliveries.ts';
import { udp } from '../../bench/peers/udp.ts';
import { netTest } from './net-test.ts';

const PROGRAMS = ['ethtool', 'iptables', 'cc'] as const;
const SEED = 11;
const TOLERANCE = 0.05;
const LEAD_MS = 300;
const DRAIN_MS = 500;
/** An IP packet of a call, and the frame around it. */
const PACKET_OCTETS = 172 + 28;
const FRAME_OCTETS = PACKET_OCTETS + 14;

netTest('a link that is told nothing delivers everything, at once', PROGRAMS, ({ t }) =>
  withGround(async (ground) => {
    const [up, down] = await runOf(ground, {}, 20, 1_000);
    t.deepEqual([lossOf(up), lossOf(down)], [0, 0]);
    t.true(median(delaysOf(up)) < 1);
  }),
);

netTest('delay: what is asked, each way', PROGRAMS, ({ t }) =>
  withGround(async (ground) => {
    for (const run of await runOf(ground, { delayMs: 20 }, 20, 2_000)) {
      near(t, median(delaysOf(run)), 20);
      t.is(lossOf(run), 0);
    }
  }),
);

netTest('jitter: evenly around the delay, in order', PROGRAMS, ({ t }) =>
  withGround(async (ground) => {
    // One call: its packets are further apart than the jitter can move them.
    for (const run of await runOf(ground, { delayMs: 30, jitterMs: 9 }, 1, 4_000)) {
      const delays = delaysOf(run).sort((a, b) => a - b);
      near(t, quantile(delays, 0.01), 21);
      near(t, median(delays), 30);
      near(t, quantile(delays, 0.99), 39);
    }
    for (const run of await runOf(ground, { delayMs: 30, jitterMs: 9 }, 20, 1_000)) {
      const arrivals = [...run.sentMs].map((sent, i) => sent + (run.delayMs[i] ?? 0));
      t.deepEqual(
        arrivals,
        arrivals.toSorted((a, b) => a - b),
      );
    }
  }),
);

netTest('random loss: its share, and the same packets for the same seed', PROGRAMS, ({ t }) =>
  withGround(async (ground) => {
    const before = await ground.impairment.stats();
    const [up, down] = await runOf(ground, { lossPercent: 5 }, 200, 4_000);
    const after = await ground.impairment.stats();
    near(t, lossOf(up), 0.05);
    near(t, lossOf(down), 0.05);
    const counted = after.map(({ lost }, i) => lost - (before[i]?.lost ?? 0));
    t.deepEqual(counted, [missing(up).length, missing(down).length]);
    const [again] = await runOf(ground, { lossPercent: 5 }, 200, 4_000);
    t.deepEqual(missing(again), missing(up));
  }),
);

netTest('bursts: the same share, lost in runs', PROGRAMS, ({ t }) =>
  withGround(async (ground) => {
    const [up, down] = await runOf(ground, { lossPercent: 10, lossRun: 4 }, 200, 8_000);
    near(t, (lossOf(up) + lossOf(down)) / 2, 0.1);
    near(t, (runLength(up) + runLength(down)) / 2, 4);
  }),
);

netTest('rate: so many bits pass, and the queue is as long as asked', PROGRAMS, ({ t }) =>
  withGround(async (ground) => {
    const rate = { kbit: 8_000, queueMs: 50 };
    const [up] = await runOf(ground, { rate }, 200, 3_000);
    const arrivals = [...up.sentMs].flatMap((sent, i) => {
      const at = sent + (up.delayMs[i] ?? Number.NaN);
      return at >= 1_000 && at < 3_000 ? [at] : [];
    });
    near(t, (arrivals.length * FRAME_OCTETS * 8) / 2_000, rate.kbit);
    near(t, quantile(delaysOf(up), 0.99), rate.queueMs);
  }),
);

netTest('blackout: nothing arrives for so long', PROGRAMS, ({ t }) =>
  withGround(async (ground) => {
    const faults = { delayMs: 10 };
    const darken = () => void setTimeout(() => ground.impairment.blackout(400), 1_000);
    const [up] = await runOf(ground, faults, 20, 2_000, darken);
    const lost = missing(up).map((i) => up.sentMs[i] ?? 0);
    near(t, (lost.at(-1) ?? 0) - (lost[0] ?? 0), 400);
    t.is(lost.length, (missing(up).at(-1) ?? 0) - (missing(up)[0] ?? 0) + 1, 'one hole');
  }),
);

async function withGround(body: (ground: Ground) => Promise<void>): Promise<void> {
  const ground = await Ground.open();
  try {
    await body(ground);
  } finally {
    await ground.close();
  }
}

/** Up and down. */
async function runOf(
  ground: Ground,
  faults: Faults,
  calls: number,
  ms: number,
  meanwhile = () => {},
): Promise<[Deliveries, Deliveries]> {
  const opened = await udp.open(ground, calls);
  await ground.spoil(faults, SEED);
  const both = [opened.phones, opened.gateways];
  for (const one of both) one.load(Array.from({ length: calls }, () => ({ kind: 'speech' })));
  const startMs = Number(process.hrtime.bigint()) / 1e6 + LEAD_MS;
  await Promise.all(both.map((one) => one.run(startMs, ms)));
  meanwhile();
  await new Promise((resolve) => setTimeout(resolve, LEAD_MS + ms + DRAIN_MS));
  const [phones, gateways] = await Promise.all([opened.phones.end(), opened.gateways.end()]);
  return [join(phones.sent, gateways.received), join(gateways.sent, phones.received)];
}

function near(t: ExecutionContext, measured: number, set: number): void {
  t.true(Math.abs(measured - set) <= set * TOLERANCE, `${measured} where ${set} was set`);
}

function missing(run: Deliveries): number[] {
  return [...run.delayMs].flatMap((delay, i) => (Number.isNaN(delay) ? [i] : []));
}

function lossOf(run: Deliveries): number {
  return missing(run).length / run.length;
}

/** Mean length of runs of packets lost. */
function runLength(run: Deliveries): number {
  const lost = missing(run);
  const runs = lost.filter((i, at) => lost[at - 1] !== i - 1).length;
  return lost.length / runs;
}

function delaysOf(run: Deliveries): number[] {
  return [...run.delayMs].filter((delay) => !Number.isNaN(delay));
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}
