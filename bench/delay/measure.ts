/** One peer in one scenario. */
import { cpuNs, residentMb } from '../agents/process-use.ts';
import type { Ground } from '../link/ground.ts';
import { type Deliveries, join } from '../media/deliveries.ts';
import {
  type Frames,
  framesOf,
  type Selection,
  type Summary,
  summarise,
} from '../media/summary.ts';
import type { Opened, Peer } from '../peers/peer.ts';
import { type Blackout, recoveryMs } from './recovery.ts';
import type { Scenario } from './scenarios.ts';

/** All randomness of a run. */
const SEED = 7;
/** Time for both media processes to hear when they begin. */
const LEAD_MS = 200;
/** What comes later than this after the last packet was sent is as good as lost. */
const DRAIN_MS = 600;

export interface Use {
  /** Processor time of all processes of that side, for each packet sent in either direction; without the lead-in. */
  readonly usPerPacket: number;
  /** Resident, of all processes of that side together. */
  readonly mb: number;
}

export interface Result {
  readonly peer: Peer['name'];
  readonly scenario: string;
  readonly audio: Summary;
  readonly video?: Frames;
  /** How long after the end of the blackout delay was back to normal. */
  readonly recoveryMs?: number;
  readonly client: Use;
  readonly server: Use;
  /** What the link saw, both directions together. */
  readonly link: { readonly seen: number; readonly lost: number; readonly overflowed: number };
}

export interface Measured {
  readonly result: Result;
  /** Up and down; for plots. */
  readonly runs: readonly Deliveries[];
  readonly blackout?: Blackout;
}

/** What is sent in the first `leadInMs` is carried like all the rest, and is in no figure but those of the link. */
export async function measure(
  ground: Ground,
  peer: Peer,
  scenario: Scenario,
  leadInMs: number,
): Promise<Measured> {
  const { lossPercent: _, ...lossless } = scenario.faults;
  // Connections are opened over the link that they will have, but on their way to it nothing is lost.
  await ground.spoil(lossless, SEED);
  const opened = await peer.open(ground, scenario.traffic.length);
  try {
    await ground.spoil(scenario.faults, SEED);
    opened.phones.load(scenario.traffic);
    opened.gateways.load(scenario.traffic);
    const lengthMs = scenario.seconds * 1_000;
    const startMs = monotonicMs() + LEAD_MS;
    const linkBefore = await linkUse(ground);
    await Promise.all([opened.phones, opened.gateways].map((one) => one.run(startMs, lengthMs)));
    await sleep(startMs + leadInMs - monotonicMs());
    const before = use(opened);
    const blackout = await darken(scenario, startMs, ground.impairment);
    await sleep(startMs + lengthMs + DRAIN_MS - monotonicMs());
    const after = use(opened);
    const linkAfter = await linkUse(ground);
    const [phones, gateways] = await Promise.all([opened.phones.end(), opened.gateways.end()]);
    const runs = [join(phones.sent, gateways.received), join(gateways.sent, phones.received)];
    const packets = sum(runs.map(({ sentMs }) => sentMs.filter((ms) => ms >= leadInMs).length));
    const result = {
      peer: peer.name,
      scenario: scenario.name,
      ...figures(scenario, runs, blackout, leadInMs),
      client: used(before.client, after.client, packets),
      server: used(before.server, after.server, packets),
      link: {
        seen: linkAfter.seen - linkBefore.seen,
        lost: linkAfter.lost - linkBefore.lost,
        overflowed: linkAfter.overflowed - linkBefore.overflowed,
      },
    };
    return { result, runs, ...(blackout === undefined ? {} : { blackout }) };
  } finally {
    await opened.close();
  }
}

/** Exact to what the link itself says about when it went dark. */
async function darken(
  scenario: Scenario,
  startMs: number,
  impairment: { blackout(ms: number): Promise<number> },
): Promise<Blackout | undefined> {
  if (scenario.blackout === undefined) return undefined;
  const { atMs, ms } = scenario.blackout;
  await sleep(startMs + atMs - monotonicMs());
  const fromMs = (await impairment.blackout(ms)) - startMs;
  return { fromMs, toMs: fromMs + ms };
}

function figures(
  scenario: Scenario,
  runs: readonly Deliveries[],
  blackout: Blackout | undefined,
  leadInMs: number,
) {
  const isVideo = (flow: number) => scenario.traffic[flow]?.kind === 'video';
  const time = { fromMs: leadInMs, toMs: scenario.seconds * 1_000 };
  const audio: Selection = { ...time, flow: (flow) => !isVideo(flow) };
  const hasVideo = scenario.traffic.some(({ kind }) => kind === 'video');
  return {
    audio: summarise(runs, audio),
    ...(hasVideo ? { video: framesOf(runs, { ...time, flow: isVideo }) } : {}),
    ...(blackout === undefined ? {} : { recoveryMs: recoveryMs(runs, blackout, leadInMs) }),
  };
}

async function linkUse({ impairment }: Ground) {
  const ways = await impairment.stats();
  return {
    seen: sum(ways.map(({ seen }) => seen)),
    lost: sum(ways.map(({ lost }) => lost)),
    overflowed: sum(ways.map(({ overflowed }) => overflowed)),
  };
}

interface RawUse {
  readonly ns: number;
  readonly mb: number;
}

function use({ pids }: Opened): { client: RawUse; server: RawUse } {
  const of = (ids: readonly number[]) => ({
    ns: sum(ids.map(cpuNs)),
    mb: sum(ids.map(residentMb)),
  });
  return { client: of(pids.client), server: of(pids.server) };
}

function used(before: RawUse, after: RawUse, packets: number): Use {
  return {
    usPerPacket: Number(((after.ns - before.ns) / 1_000 / packets).toFixed(2)),
    mb: Number(after.mb.toFixed(1)),
  };
}

/** As `media.c` and `impair.c` read it. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
