/** What a TEP-S agent is told at its start, and what it tells. */
import type { IoFault } from '../io/io-fault.ts';
import type { CapturePort, PacketPort, RelayPort } from '../io/packet-port.ts';
import type { FlowEnded } from '../ops/flow-book.ts';
import type { ServerOptions } from '../session/options.ts';
import type { ServerOutput } from '../session/outputs.ts';
import type { Placement } from '../session/placement.ts';
import type { Endpoint } from '../wire/address.ts';
import type { ListenAt } from './listeners.ts';
import type { DoorOptions, Guest, TurnedAway } from './visit.ts';

export interface AgentPlacement extends Pick<Placement, 'index' | 'count'> {
  /**
   * The connection belongs to process `to`: `octets` were received and not used. The stream is paused;
   * it is the receiver's now.
   */
  readonly handOver: (guest: Guest, to: number, octets: Uint8Array) => void;
}

export interface ServerAgentOptions {
  /** Port 0 takes any; `::` stands for both families. */
  readonly listen: readonly ListenAt[];
  /** Whether plain STUN is answered by UDP too, on the same ports. */
  readonly stunUdp?: boolean;
  /** Congestion control of accepted connections, by its name in the system. */
  readonly congestion?: string | undefined;
  /** Who may enter, and how; DEFAULT_DOOR where it says nothing else. */
  readonly door?: Partial<DoorOptions>;
  readonly tunnel: Omit<ServerOptions, 'random' | 'opensAddresses' | 'placement'>;
  /** Where several processes serve one address. */
  readonly placement?: AgentPlacement;
  /** Where the core's packets come from and go to. The agent starts and closes it. */
  readonly packets: PacketPort | RelayPort | CapturePort;
  /** Told everything that happens, in order: for logs and counters. */
  readonly observe?: (event: ServerEvent) => void;
}

/**
 * What the tunnels say; media streams that ended; connections closed before they became part of one; public addresses that could
 * not be opened.
 */
export type ServerEvent =
  | ServerOutput
  | FlowEnded
  | { readonly type: 'turned-away'; readonly peer: Endpoint; readonly reason: TurnedAway }
  | { readonly type: 'listen-failed'; readonly id: number; readonly fault: IoFault };

export const DEFAULT_DOOR: DoorOptions = {
  limits: { connections: 10_000, connectionsPerAddress: 100, greetingMs: 10_000 },
  proxies: [],
  tls: undefined,
};
