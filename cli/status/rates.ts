/** Rates between two statuses of one agent. */
import type { AgentStatus } from '../../ops/status.ts';

export interface Rate {
  readonly packetsPerSecond: number;
  readonly bitsPerSecond: number;
}

export interface Rates {
  readonly sent: Rate;
  readonly received: Rate;
  readonly droppedPerSecond: number;
}

const NONE: Rate = { packetsPerSecond: 0, bitsPerSecond: 0 };

/** Undefined where they are not of the same agent, or at the same moment. */
export function ratesBetween(before: AgentStatus, after: AgentStatus): Rates | undefined {
  const seconds = (after.nowMs - before.nowMs) / 1_000;
  if (before.startedMs !== after.startedMs || before.pid !== after.pid || seconds <= 0) {
    return undefined;
  }
  return {
    sent: rate(before.sent, after.sent, seconds),
    received: rate(before.received, after.received, seconds),
    droppedPerSecond: (total(after.drops) - total(before.drops)) / seconds,
  };
}

function rate(before: AgentStatus['sent'], after: AgentStatus['sent'], seconds: number): Rate {
  if (after.packets < before.packets) return NONE;
  return {
    packetsPerSecond: (after.packets - before.packets) / seconds,
    bitsPerSecond: ((after.octets - before.octets) * 8) / seconds,
  };
}

function total(drops: Readonly<Record<string, number>>): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0);
}
