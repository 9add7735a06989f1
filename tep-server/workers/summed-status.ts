/** The status of a server that runs in several processes: that of its workers, added up. */
import {
  type Drops,
  MAX_TUNNELS_LISTED,
  type ServerStatus,
  type Traffic,
} from '../../ops/status.ts';
import { version } from '../../ops/version.ts';

export type Own = Pick<
  ServerStatus,
  | 'startedMs'
  | 'nowMs'
  | 'workers'
  | 'silentWorkers'
  | 'draining'
  | 'listening'
  | 'turnedAway'
  | 'ng'
>;

export function summed(workers: readonly ServerStatus[], own: Own): ServerStatus {
  const number = (of: (status: ServerStatus) => number) =>
    workers.reduce((sum, status) => sum + of(status), 0);
  const drops = (of: (status: ServerStatus) => Drops) => dropsOf(workers.map(of));
  const traffic = (of: (status: ServerStatus) => Traffic) => ({
    packets: number((status) => of(status).packets),
    octets: number((status) => of(status).octets),
  });
  return {
    agent: 'server',
    version: VERSION,
    pid: process.pid,
    ...own,
    sent: traffic(({ sent }) => sent),
    received: traffic(({ received }) => received),
    drops: drops((status) => status.drops),
    port: {
      kind: workers[0]?.port.kind ?? '',
      received: number(({ port }) => port.received),
      sent: number(({ port }) => port.sent),
      drops: drops(({ port }) => port.drops),
    },
    connections: {
      all: number(({ connections }) => connections.all),
      unauthenticated: number(({ connections }) => connections.unauthenticated),
    },
    turnedAway: dropsOf([own.turnedAway, ...workers.map(({ turnedAway }) => turnedAway)]),
    tunnelCount: number(({ tunnelCount }) => tunnelCount),
    bindingCount: number(({ bindingCount }) => bindingCount),
    tunnels: workers.flatMap(({ tunnels }) => tunnels).slice(0, MAX_TUNNELS_LISTED),
  };
}

function dropsOf(all: readonly Drops[]): Drops {
  const sums = new Map<string, number>();
  for (const [reason, count] of all.flatMap((drops) => Object.entries(drops))) {
    sums.set(reason, (sums.get(reason) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}

const VERSION = version();
