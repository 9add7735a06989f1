/** TEP-C as a status page may show it: without its token. */
import type { Endpoint } from '../wire/address.ts';
import type { BindingOrigin, ClientBinding } from './client-bindings.ts';
import type { ClientConnection } from './client-connection.ts';
import type { LaneStatus } from './media/media-flow.ts';
import type { Waiting } from './media/media-sender.ts';
import type { FlowProtocol } from './outputs.ts';
import type { ConnectionState, TunnelState } from './table.ts';

export interface ClientTunnelStatus {
  readonly state: TunnelState;
  /** Our address as TEP-S saw it when the tunnel last came up. */
  readonly outer: Endpoint | undefined;
  readonly connections: readonly ClientConnectionStatus[];
  readonly bindings: readonly ClientBindingStatus[];
  /** For a connection that can take them. */
  readonly waiting: Waiting;
}

export interface ClientConnectionStatus {
  readonly conn: number;
  readonly stripe: number;
  readonly state: ConnectionState;
  /** Undefined before the first measurement. */
  readonly rttMs: number | undefined;
  /** Octets that wait to be written, and how many may. */
  readonly queued: number;
  readonly queueLimit: number;
}

/** A pair makes two. */
export interface ClientBindingStatus {
  readonly ue: Endpoint;
  readonly protocol: FlowProtocol;
  readonly origin: BindingOrigin;
  /** As its packets are numbered (PacketSink). */
  readonly number: number;
  /** Undefined until it is granted. */
  readonly address: Endpoint | undefined;
  /** When something passed last, either way, and when the application sent last. */
  readonly usedMs: number;
  readonly sentMs: number;
  /** What the application sends from it, by class. */
  readonly sending: readonly LaneStatus[];
}

/** Of connections that have measured one. */
export function leastRoundTripMs(
  connections: ReadonlyArray<{ readonly rttMs?: number | undefined }>,
): number | undefined {
  const known = connections.flatMap(({ rttMs }) => (rttMs === undefined ? [] : [rttMs]));
  return known.length === 0 ? undefined : Math.min(...known);
}

export function statusOf(
  state: TunnelState,
  opened: { readonly outer: Endpoint } | undefined,
  connections: readonly ClientConnection[],
  bindings: readonly ClientBinding[],
  waiting: Waiting,
): ClientTunnelStatus {
  return {
    state,
    outer: opened?.outer,
    connections: connections.map(connectionStatus),
    bindings: bindings.flatMap(bindingStatus),
    waiting,
  };
}

function connectionStatus(c: ClientConnection): ClientConnectionStatus {
  const { conn, stripe, state, rttMs, queue } = c;
  return { conn, stripe, state, rttMs, queued: queue.length, queueLimit: queue.limit };
}

function bindingStatus(binding: ClientBinding): ClientBindingStatus[] {
  const { slots, protocol, origin, usedMs, sentMs } = binding;
  return slots.map(({ ue, address, number, media }) => {
    return { ue, protocol, origin, number, address, usedMs, sentMs, sending: media.status() };
  });
}
