/** The aims for cost, as ratios within one run. */
import type { Aim } from '../aims.ts';
import type { Cost } from './measure.ts';
import type { Subject } from './scenes.ts';

const PEER_SHARE = 0.5;
const FLOOR_TIMES = 1.5;
/** Rate at which they are set, in these directions. */
export const AIM_RATE = 50_000;

/** Those for which everything was measured. */
export function costAims(costs: readonly Cost[]): Aim[] {
  return ['up', 'down', 'both'].flatMap((direction) => {
    const find = (subject: Subject) =>
      costs.find(
        (cost) =>
          cost.subject === subject && cost.direction === direction && cost.perSecond === AIM_RATE,
      );
    const tep = find('tep-rings');
    if (tep === undefined) return [];
    const [turn, tunnel, floor] = [find('turn-tcp'), find('udptunnel'), find('floor')];
    return [
      ...ratio(`server, ${direction}: beside coturn`, tep.serverUs, turn?.serverUs, PEER_SHARE),
      ...ratio(
        `server, ${direction}: beside udptunnel`,
        tep.serverUs,
        tunnel?.serverUs,
        PEER_SHARE,
      ),
      ...ratio(
        `server, ${direction}: beside the floor`,
        tep.serverUs,
        floor?.serverUs,
        FLOOR_TIMES,
      ),
      ...ratio(
        `client, ${direction}: beside udptunnel`,
        tep.clientUs,
        tunnel?.clientUs,
        PEER_SHARE,
      ),
    ];
  });
}

function ratio(name: string, ours: number, theirs: number | undefined, aim: number): Aim[] {
  if (theirs === undefined || !(theirs > 0)) return [];
  const text = `cost of a packet, ${name}`;
  return [{ name: text, figure: ours / theirs, unit: 'times', bound: 'at most', aim }];
}
