/** How the line about a media stream that has ended is worded, at both ends. */
import { formatEndpoint } from '../wire/address.ts';
import type { FlowEnded } from './flow-book.ts';
import type { Log } from './log.ts';

export function logFlowEnded(log: Log, { at, quality }: FlowEnded): void {
  const { received, lost, jitterMs, stalls, longestStallMs, mos } = quality;
  log.info('media stream ended', {
    at: formatEndpoint(at),
    received,
    lost,
    jitterMs: rounded(jitterMs),
    lateMs: rounded(quality.lateMs.p99),
    stalls,
    longestStallMs: Math.round(longestStallMs),
    ...(mos !== undefined && { mos: Number(mos.toFixed(2)) }),
  });
}

function rounded(ms: number): number {
  return Number(ms.toFixed(1));
}
