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
  /** Nothing arrives for a while. */
  readonly blackout?: { readonly atMs: number; readonly ms: number };
  /** The lead-in is a part of them. */
  readonly seconds: number;
  /** All where absent. */
  readonly peers?: readonly PeerName[];
  /** In the short form: those whose figures an aim is about. */
  readonly quick?: Pick<Scenario, 'seconds' | 'peers' | 'blackout'>;
}

/** Without those that resemble another one. */
const MAIN_PEERS = ['udp', 'tep', 'turn-tcp', 'openvpn', 'naive'] as const;
const TCP_PEERS = ['tep', 'turn-tcp', 'openvpn', 'naive'] as const;

/** One way; the aims are set for it. */
const DELAY_MS = 20;
export const VIDEO_KBIT = 2_000;
/** Below what is offered: video of 2 Mbit/s, a call of 87 kbit/s, and headers. */
const NARROW_KBIT = 1_500;
const NARROW_QUEUE_MS = 100;

const FAR = { delayMs: DELAY_MS };

export function scenarios(isQuick: boolean): Scenario[] {
  const all = [
    truth(),
    ...[1, 20, 200].map((calls) => clean(calls)),
    ...[0, 0.5, 1, 2, 3, 5].map((percent) => randomLoss(percent)),
    bursts(),
    jitter(),
    wideband(),
    hole(),
    blackout(),
    narrow(),
  ];
  return isQuick ? all.flatMap(shortened) : all;
}

function shortened(scenario: Scenario): Scenario[] {
  return scenario.quick === undefined ? [] : [{ ...scenario, ...scenario.quick }];
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

/** First of all: plain UDP over the link that most of what follows has. */
function truth(): Scenario {
  return {
    name: 'truth',
    title: `what was set and what UDP sees: ${DELAY_MS} ms each way, 1 % random loss, 20 calls`,
    faults: { ...FAR, lossPercent: 1 },
    traffic: calls(20),
    seconds: 6,
    peers: ['udp'],
    quick: { seconds: 2, peers: ['udp'] },
  };
}

function clean(count: number): Scenario {
  const title = `nothing in the way, ${count} ${count === 1 ? 'call' : 'calls'}`;
  const name = `clean-${count}`;
  const quick = count === 200 ? { quick: { seconds: 2, peers: MAIN_PEERS } } : {};
  return { name, title, faults: {}, traffic: calls(count), seconds: 7, ...quick };
}

function randomLoss(percent: number): Scenario {
  return {
    name: `loss-${percent}`,
    title: `${DELAY_MS} ms each way, ${percent} % random loss, 20 calls`,
    faults: { ...FAR, lossPercent: percent },
    traffic: calls(20),
    ...lossRun(percent),
  };
}

/** Most is measured where the aims are. */
function lossRun(percent: number): Pick<Scenario, 'seconds' | 'peers' | 'quick'> {
  if (percent === 1) return { seconds: 14, quick: { seconds: 2.5, peers: TCP_PEERS } };
  if (percent === 3) return { seconds: 14, quick: { seconds: 2.5, peers: ['tep'] } };
  return { seconds: 8, peers: MAIN_PEERS };
}

function bursts(): Scenario {
  return {
    name: 'bursts',
    title: `${DELAY_MS} ms each way, 1 % lost, four in a row on average, 20 calls`,
    faults: { ...FAR, lossPercent: 1, lossRun: 4 },
    traffic: calls(20),
    seconds: 9,
    peers: MAIN_PEERS,
  };
}

function jitter(): Scenario {
  return {
    name: 'jitter',
    title: `${DELAY_MS} ± 8 ms each way, no loss, 20 calls`,
    faults: { ...FAR, jitterMs: 8 },
    traffic: calls(20),
    seconds: 7,
    peers: MAIN_PEERS,
  };
}

function wideband(): Scenario {
  return {
    name: 'wideband',
    title: `${DELAY_MS} ms each way, 1 % random loss, 20 calls of AMR-WB with DTX`,
    faults: { ...FAR, lossPercent: 1 },
    traffic: Array.from({ length: 20 }, () => ({ kind: 'wideband' })),
    seconds: 12,
    peers: MAIN_PEERS,
  };
}

function hole(): Scenario {
  return {
    name: 'hole',
    title: `${DELAY_MS} ms each way, nothing for 10 ms, 20 calls`,
    faults: FAR,
    traffic: calls(20),
    blackout: { atMs: 4_500, ms: 10 },
    seconds: 7,
  };
}

function blackout(): Scenario {
  return {
    name: SCENARIO.blackout,
    title: `${DELAY_MS} ms each way, nothing for 2 s, 20 calls`,
    faults: FAR,
    traffic: calls(20),
    blackout: { atMs: 4_000, ms: 2_000 },
    seconds: 10,
    quick: { seconds: 4.5, peers: ['tep'], blackout: { atMs: 1_300, ms: 2_000 } },
  };
}

function narrow(): Scenario {
  return {
    name: SCENARIO.narrow,
    title: `${DELAY_MS} ms each way, ${NARROW_KBIT} kbit/s with a queue of ${NARROW_QUEUE_MS} ms, a call and video of 2 Mbit/s`,
    faults: { ...FAR, rate: { kbit: NARROW_KBIT, queueMs: NARROW_QUEUE_MS } },
    traffic: [{ kind: 'speech' }, { kind: 'video', kbit: VIDEO_KBIT }],
    seconds: 10,
    quick: { seconds: 3.5, peers: ['tep'] },
  };
}
