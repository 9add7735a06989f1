/** What a TEP-C agent is told at its start, and what it tells. */
import type { Dial, DialFault } from '../io/dial/types.ts';
import type { PacketPort } from '../io/packet-port.ts';
import type { FlowEnded } from '../ops/flow-book.ts';
import type { ClientOptions } from '../session/options.ts';
import type { ClientOutput } from '../session/outputs.ts';

export interface ClientAgentOptions {
  /**
   * Starts to connect to a TEP-S, each time that the tunnel needs a connection; to the one that has the
   * tunnel where the connection `joins` it. Called again for the same connection when the network
   * changed before it was there.
   */
  readonly dial: (conn: number, stripe: number, joins: boolean) => Dial;
  readonly tunnel: Omit<ClientOptions, 'random'>;
  /** Where the application's packets come from and go to. The agent starts and closes it. */
  readonly packets: PacketPort;
  /** Told everything that happens, in order: for logs and counters. */
  readonly observe?: (event: ClientEvent) => void;
}

/** What the tunnel says, media streams that ended, attempts to connect that failed, and why connections broke off. */
export type ClientEvent =
  | ClientOutput
  | FlowEnded
  | { readonly type: 'connect-failed'; readonly conn: number; readonly fault: DialFault }
  | { readonly type: 'connection-broken'; readonly conn: number; readonly fault: DialFault };

/** Where TEP-S listens when nobody says otherwise (M-07). */
export const DEFAULT_PORT = 80;

export type Opened = Extract<ClientOutput, { readonly type: 'opened' }>;
export type Closed = Extract<ClientOutput, { readonly type: 'closed' }>;
export type Bound = Extract<ClientOutput, { readonly type: 'bound' }>;
export type BindFailed = Extract<ClientOutput, { readonly type: 'bind-failed' }>;
