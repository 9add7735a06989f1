/** What a running TEP-S tells about itself (ops/status.ts). */
import type { PortCounters } from '../io/packet-port.ts';
import { protocolName } from '../ops/state-log.ts';
import type { Drops, PortStatus, ServerStatus, TunnelStatus } from '../ops/status.ts';
import { MAX_TUNNELS_LISTED } from '../ops/status.ts';
import { leastRoundTripMs } from '../session/client-status.ts';
import type { Counters } from '../session/counters.ts';
import type { TunnelStatus as Tunnel } from '../session/ends.ts';
import { formatEndpoint } from '../wire/address.ts';
import { type Fault, faultName } from '../wire/faults.ts';
import type { ServerAgent } from './agent.ts';

export interface StatusParts {
  readonly agent: ServerAgent;
  readonly portKind: string;
  readonly port: PortCounters;
  readonly common: Pick<
    ServerStatus,
    'version' | 'pid' | 'startedMs' | 'nowMs' | 'listening' | 'draining' | 'workers'
  >;
}

export function serverStatus({ agent, portKind, port, common }: StatusParts): ServerStatus {
  const { counters, door } = agent;
  const tunnels = agent.tunnels.tunnels();
  return {
    agent: 'server',
    ...common,
    ...trafficOf(counters),
    drops: faultsOf(counters),
    port: portOf(portKind, port),
    connections: { all: door.crowd.size, unauthenticated: door.crowd.unauthenticated },
    turnedAway: {
      ...Object.fromEntries(door.turnedAway),
      ...(agent.unsentAnswers > 0 && { 'stun-udp-unsent': agent.unsentAnswers }),
    },
    tunnelCount: tunnels.length,
    bindingCount: tunnels.reduce((sum, { bindings }) => sum + bindings, 0),
    tunnels: tunnels.slice(0, MAX_TUNNELS_LISTED).map((tunnel) => tunnelOf(tunnel, agent)),
  };
}

function tunnelOf(tunnel: Tunnel, agent: ServerAgent): TunnelStatus {
  const { id, user, openedMs, counters, links, ports, state, waiting } = tunnel;
  const connections = links.map(({ conn, peer, queuedOctets }) => {
    const tcp = agent.tcpState(conn);
    const measured = tcp && { rttMs: tcp.rttMs, tcp };
    return { peer: formatEndpoint(peer), state, ...measured, queuedOctets };
  });
  const roundTripMs = leastRoundTripMs(connections);
  return {
    id,
    user,
    sinceMs: openedMs,
    connections,
    waiting,
    bindings: ports.map(({ binding, address, protocol, sending }) => {
      const quality = agent.quality(binding, roundTripMs);
      const at = { public: formatEndpoint(address), protocol: protocolName(protocol), sending };
      return { ...at, ...(quality && { quality }) };
    }),
    ...trafficOf(counters),
    dropped: counters.dropped,
  };
}

function trafficOf(counters: Counters) {
  const { sentRecords, sentOctets, receivedRecords, receivedOctets } = counters;
  return {
    sent: { packets: sentRecords, octets: sentOctets },
    received: { packets: receivedRecords, octets: receivedOctets },
  };
}

function faultsOf({ faults }: Counters): Drops {
  const counted = Array.from(faults.entries()).filter(([, count]) => count > 0);
  return Object.fromEntries(counted.map(([fault, n]) => [faultName(fault as Fault), n]));
}

function portOf(kind: string, { received, sent, dropped }: PortCounters): PortStatus {
  return { kind, received, sent, drops: Object.fromEntries(dropped) };
}
