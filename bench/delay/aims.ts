/**
 * The aims for delay, as ratios and limits within one run. Ours are figures of all packets that were sent, what we
 * dropped being later than any; those of peers are of what arrived.
 */
import type { Aim } from '../aims.ts';
import type { PeerName } from '../peers/peer.ts';
import type { Result } from './measure.ts';
import { SCENARIO } from './scenarios.ts';

const ADDED_P50_MS = 0.3;
const BEST_PEER_SHARE = 0.5;
const P999_MS = 120;
const LOST_OR_LATE_PERCENT = 0.5;
const USABLE_MOS = 3.6;
const RECOVERY_MS = 300;
const NARROW_P99_MS = 150;
/** Frames of which some packets arrived: what "whole frames" leaves. */
const PART_PERCENT = 1;

type Find = (scenario: string, peer: PeerName) => Result | undefined;

/** Those for which everything was measured. */
export function delayAims(results: readonly Result[], tcpPeers: readonly PeerName[]): Aim[] {
  const find: Find = (scenario, peer) =>
    results.find((result) => result.scenario === scenario && result.peer === peer);
  const others = tcpPeers.filter((peer) => peer !== 'tep');
  return [
    ...cleanAims(find, others),
    ...lossAims(find, others),
    ...blackoutAims(find),
    ...narrowAims(find),
  ];
}

function cleanAims(find: Find, others: readonly PeerName[]): Aim[] {
  const udp = find(SCENARIO.clean, 'udp');
  const tep = find(SCENARIO.clean, 'tep');
  if (udp === undefined || tep === undefined) return [];
  const where = 'clean link, 200 calls: added delay';
  const unit = 'ms';
  const limit = { name: `${where}, p50`, bound: 'at most', aim: ADDED_P50_MS, unit } as const;
  const aims: Aim[] = [{ ...limit, figure: tep.audio.ofSent.p50 - udp.audio.p50 }];
  for (const quantile of ['p50', 'p99'] as const) {
    const aim = best(find, SCENARIO.clean, others, quantile) - udp.audio[quantile];
    if (!Number.isFinite(aim)) continue;
    const name = `${where}, ${quantile}, beside the best TCP peer`;
    aims.push({
      ...{ name, unit, bound: 'below', aim },
      figure: tep.audio.ofSent[quantile] - udp.audio[quantile],
    });
  }
  return aims;
}

function lossAims(find: Find, others: readonly PeerName[]): Aim[] {
  const one = find(SCENARIO.loss1, 'tep')?.audio;
  const three = find(SCENARIO.loss3, 'tep')?.audio;
  const aims: Aim[] = [];
  const peer = BEST_PEER_SHARE * best(find, SCENARIO.loss1, others, 'p99');
  if (one !== undefined && Number.isFinite(peer)) {
    const name = '1 % loss, 20 calls: p99, beside half of the best TCP peer';
    aims.push({ name, figure: one.ofSent.p99, unit: 'ms', bound: 'at most', aim: peer });
  }
  if (one !== undefined) {
    const name = '1 % loss, 20 calls: p99.9';
    aims.push({ name, figure: one.ofSent.p999, unit: 'ms', bound: 'at most', aim: P999_MS });
  }
  if (three !== undefined) {
    const where = '3 % loss, 20 calls';
    const figure = three.lostPercent + three.latePercent;
    const late = { name: `${where}: lost or later than 150 ms`, unit: '%', figure } as const;
    aims.push({ ...late, bound: 'at most', aim: LOST_OR_LATE_PERCENT });
    const mos = { name: `${where}: usable voice`, unit: 'MOS', figure: three.mos } as const;
    aims.push({ ...mos, bound: 'at least', aim: USABLE_MOS });
  }
  return aims;
}

function blackoutAims(find: Find): Aim[] {
  const figure = find(SCENARIO.blackout, 'tep')?.recoveryMs;
  if (figure === undefined) return [];
  const name = 'blackout of 2 s: delay back to normal after the link is';
  return [{ name, figure, unit: 'ms', bound: 'at most', aim: RECOVERY_MS }];
}

function narrowAims(find: Find): Aim[] {
  const tep = find(SCENARIO.narrow, 'tep');
  if (tep?.video === undefined) return [];
  const where = 'less rate than the video has';
  const { whole, none, part } = tep.video;
  const frames = { name: `${where}: frames that arrived in part`, unit: '%' } as const;
  return [
    {
      ...{ name: `${where}: audio, p99`, figure: tep.audio.ofSent.p99, unit: 'ms' },
      ...{ bound: 'at most', aim: NARROW_P99_MS },
    },
    {
      ...{ ...frames, figure: (100 * part) / (whole + none + part) },
      ...{ bound: 'at most', aim: PART_PERCENT },
    },
  ];
}

/** Infinite where none was measured. */
function best(
  find: Find,
  scenario: string,
  peers: readonly PeerName[],
  quantile: 'p50' | 'p99',
): number {
  return Math.min(
    ...peers.map((peer) => find(scenario, peer)?.audio[quantile] ?? Number.POSITIVE_INFINITY),
  );
}
