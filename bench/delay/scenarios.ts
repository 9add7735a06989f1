/** What the link does and what goes over it, as data. */
import type { Faults } from '../link/impairment.ts';
import type { Traffic } from '../media/endpoints.ts';
import type { PeerName } from '../peers/peer.ts';

export interface Scenario {
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly faults: Faults;
  /** Each way; a flow has the same at both ends. */
  readonly traffic: readonly Traffic[];
  /** Nothing arrives for so long, from the middle of the run on. */
  readonly blackoutMs?: number;
  readonly seconds: number;
  /** Peers that cannot do it within reason. */
  readonly without?: readonly PeerName[];
  /** In the short form too. */
  readonly isQuick?: boolean;
}

/** One way; the aims are set for it. */
const DELAY_MS = 20;
export const VIDEO_KBIT = 2_000;
/** Below what is offered: video of 2 Mbit/s, a call of 87 kbit/s, and headers. */
const NARROW_KBIT = 1_500;
const NARROW_QUEUE_MS = 100;

const FAR = { delayMs: DELAY_MS };

export function scenarios(isQuick: boolean): Scenario[] {
  const all = [
    ...[1, 20, 200].map((calls) => clean(calls)),
    ...[0, 0.5, 1, 2, 3, 5].map((percent) => randomLoss(percent)),
    bursts(),
    jitter(),
    wideband(),
    hole(),
    blackout(),
    narrow(),
  ];
  if (!isQuick) return all;
  return all.filter((scenario) => scenario.isQuick).map((one) => ({ ...one, seconds: 4 }));
}

/** Of a scenario that the aims speak of. */
export const SCENARIO = {
  clean: 'clean-200',
  loss1: 'loss-1',
  loss3: 'loss-3',
  blackout: 'blackout',
  narrow: 'narrow',
} as const;

function calls(count: number): Traffic[] {
  return Array.from({ length: count }, () => ({ kind: 'speech' }));
}

function clean(count: number): Scenario {
  const title = `nothing in the way, ${count} ${count === 1 ? 'call' : 'calls'}`;
  const name = `clean-${count}`;
  return { name, title, faults: {}, traffic: calls(count), seconds: 6, isQuick: count === 200 };
}

function randomLoss(percent: number): Scenario {
  return {
    name: `loss-${percent}`,
    title: `${DELAY_MS} ms each way, ${percent} % random loss, 20 calls`,
    faults: { ...FAR, lossPercent: percent },
    traffic: calls(20),
    seconds: 12,
    isQuick: percent === 1 || percent === 3,
  };
}

function bursts(): Scenario {
  return {
    name: 'bursts',
    title: `${DELAY_MS} ms each way, 1 % lost, four in a row on average, 20 calls`,
    faults: { ...FAR, lossPercent: 1, lossRun: 4 },
    traffic: calls(20),
    seconds: 10,
  };
}

function jitter(): Scenario {
  return {
    name: 'jitter',
    title: `${DELAY_MS} ± 8 ms each way, no loss, 20 calls`,
    faults: { ...FAR, jitterMs: 8 },
    traffic: calls(20),
    seconds: 6,
  };
}

function wideband(): Scenario {
  return {
    name: 'wideband',
    title: `${DELAY_MS} ms each way, 1 % random loss, 20 calls of AMR-WB with DTX`,
    faults: { ...FAR, lossPercent: 1 },
    traffic: Array.from({ length: 20 }, () => ({ kind: 'wideband' })),
    seconds: 12,
  };
}

function hole(): Scenario {
  return {
    name: 'hole',
    title: `${DELAY_MS} ms each way, nothing for 10 ms, 20 calls`,
    faults: FAR,
    traffic: calls(20),
    blackoutMs: 10,
    seconds: 5,
  };
}

function blackout(): Scenario {
  return {
    name: SCENARIO.blackout,
    title: `${DELAY_MS} ms each way, nothing for 2 s, 20 calls`,
    faults: FAR,
    traffic: calls(20),
    blackoutMs: 2_000,
    seconds: 12,
  };
}

function narrow(): Scenario {
  return {
    name: SCENARIO.narrow,
    title: `${DELAY_MS} ms each way, ${NARROW_KBIT} kbit/s with a queue of ${NARROW_QUEUE_MS} ms, a call and video of 2 Mbit/s`,
    faults: { ...FAR, rate: { kbit: NARROW_KBIT, queueMs: NARROW_QUEUE_MS } },
    traffic: [{ kind: 'speech' }, { kind: 'video', kbit: VIDEO_KBIT }],
    seconds: 12,
  };
}
