/** What a TEP-C agent is told at its start, and what it tells. */
import type { IoFault } from '../io/io-fault.ts';
import type { PacketPort } from '../io/packet-port.ts';
import type { TcpTarget } from '../io/tcp.ts';
import type { ClientOptions } from '../session/options.ts';
import type { ClientOutput } from '../session/outputs.ts';

export interface ClientAgentOptions {
  /** Where TEP-S listens; port 80 where none is given (M-07). */
  readonly server: Omit<TcpTarget, 'port'> & { readonly port?: number };
  readonly tunnel: Omit<ClientOptions, 'random'>;
  /** Where the application's packets come from and go to. The agent starts and closes it. */
  readonly packets: PacketPort;
  /** How long one attempt to connect may take. Default 10,000. */
  readonly connectMs?: number;
  /** Told everything that happens, in order: for logs and counters. */
  readonly observe?: (event: ClientEvent) => void;
}

/** What the tunnel says, and attempts to connect that failed. */
export type ClientEvent =
  | ClientOutput
  | { readonly type: 'connect-failed'; readonly conn: number; readonly fault: IoFault };

export const DEFAULT_PORT = 80;
export const DEFAULT_CONNECT_MS = 10_000;

export type Opened = Extract<ClientOutput, { readonly type: 'opened' }>;
export type Closed = Extract<ClientOutput, { readonly type: 'closed' }>;
export type Bound = Extract<ClientOutput, { readonly type: 'bound' }>;
export type BindFailed = Extract<ClientOutput, { readonly type: 'bind-failed' }>;
