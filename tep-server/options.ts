/** What a TEP-S agent is told at its start, and what it tells. */
import type { Speech } from '../framing/demux.ts';
import type { IoFault } from '../io/io-fault.ts';
import type { CapturePort, PacketPort, RelayPort } from '../io/packet-port.ts';
import type { ServerOptions } from '../session/options.ts';
import type { ServerOutput } from '../session/outputs.ts';
import type { Endpoint } from '../wire/address.ts';
import type { Fault } from '../wire/faults.ts';

export interface ServerAgentOptions {
  /** Where to listen; `::` stands for both families, port 0 takes any. */
  readonly host: string;
  readonly port: number;
  readonly tunnel: Omit<ServerOptions, 'random' | 'opensAddresses'>;
  /** Where the core's packets come from and go to. The agent starts and closes it. */
  readonly packets: PacketPort | RelayPort | CapturePort;
  /** Whether plain STUN is answered by UDP too, on the same port. */
  readonly stunUdp?: boolean;
  /** Connections beyond so many are closed at once. Default 10,000. */
  readonly maxConnections?: number;
  /** Told everything that happens, in order: for logs and counters. */
  readonly observe?: (event: ServerEvent) => void;
}

/**
 * What the tunnels say; connections closed before they became part of one (`speech` as in
 * framing/demux.ts, 0: nothing understandable in time); public addresses that could not be opened.
 */
export type ServerEvent =
  | ServerOutput
  | { readonly type: 'turned-away'; readonly peer: Endpoint; readonly speech: Speech | Fault | 0 }
  | { readonly type: 'listen-failed'; readonly id: number; readonly fault: IoFault };

export const DEFAULT_MAX_CONNECTIONS = 10_000;
