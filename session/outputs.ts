/**
 * What the two machines want done and what they tell, as values that `poll()` hands out one by one.
 * An agent acts on the first group and logs or counts the second. No value holds a secret.
 *
 * The number of outputs that can wait is bounded by what came in since the last `poll`: packets that
 * are dropped make none (they are counted), a control message makes a few.
 */

import type { Endpoint } from '../wire/address.ts';
import type { Fault } from '../wire/faults.ts';
import type { ConnectionEvent, ConnectionState, TunnelEvent, TunnelState } from './table.ts';

/** Protocol numbers of the flows that a binding can be for (tep-wire 4). */
export type FlowProtocol = 6 | 17;

/**
 * End a connection. `flush`: write what `pending` still gives, then FIN; otherwise at once.
 * `fault` 0 is an orderly end. The agent answers with `disconnected`.
 */
export interface CloseOutput {
  readonly type: 'close';
  readonly conn: number;
  readonly flush: boolean;
  readonly fault: 0 | Fault;
}

/** One per change of state: of a connection, or of a tunnel where `conn` is absent. */
export type StateOutput =
  | {
      readonly type: 'connection-state';
      readonly conn: number;
      readonly from: ConnectionState;
      readonly to: ConnectionState;
      readonly event: ConnectionEvent;
    }
  | {
      readonly type: 'tunnel-state';
      readonly tunnel: number;
      readonly from: TunnelState;
      readonly to: TunnelState;
      readonly event: TunnelEvent;
    };

export type ClientOutput =
  /**
   * Open a connection to TEP-S and answer `connected(conn)`, or `disconnected(conn)` on failure.
   * `joins`: there is a tunnel, so it must be the TEP-S that has it.
   */
  | {
      readonly type: 'connect';
      readonly conn: number;
      readonly stripe: number;
      readonly joins: boolean;
    }
  | CloseOutput
  | StateOutput
  /** The tunnel is usable. `outer` is the client's TCP address as TEP-S sees it. */
  | {
      readonly type: 'opened';
      readonly outer: Endpoint;
      readonly resumed: boolean;
      readonly lifetimeMs: number;
      readonly software: string;
    }
  /**
   * `ue` is reachable at `address`. Told again when a new tunnel gave another one (`changed`). A
   * pair (RTP with RTCP) also has `ue.port + 1` at `address.port + 1`.
   */
  | {
      readonly type: 'bound';
      readonly ue: Endpoint;
      readonly protocol: FlowProtocol;
      readonly address: Endpoint;
      readonly pair: boolean;
      readonly changed: boolean;
    }
  /** `code` is the STUN error code of TEP-S; 0 when TEP-C itself refused (limit, closed). */
  | {
      readonly type: 'bind-failed';
      readonly ue: Endpoint;
      readonly protocol: FlowProtocol;
      readonly code: number;
      readonly reason: string;
    }
  | { readonly type: 'released'; readonly ue: Endpoint; readonly protocol: FlowProtocol }
  /** This TEP-S does not let us in; another one may (see `servers`). */
  | {
      readonly type: 'refused';
      readonly conn: number;
      readonly why: RefusedWhy;
      readonly code: number;
      readonly reason: string;
    }
  /** No tunnel can be had (`on`), or there is one again, or none is wanted any more. */
  | { readonly type: 'outage'; readonly on: boolean }
  /** The tunnel is over and nothing is tried any more until `open` or `bind`. */
  | {
      readonly type: 'closed';
      readonly why: ClosedWhy;
      readonly code: number;
      readonly reason: string;
    };

/**
 * `asked` by our own side · `idle` after the linger time (M-18) · `refused` with the error `code` ·
 * `not-tep-s` an ordinary STUN server answered · `untrusted` it let us in without our credentials.
 */
export type ClosedWhy = 'asked' | 'idle' | RefusedWhy;
export type RefusedWhy = 'refused' | 'not-tep-s' | 'untrusted';

/** `asked` by TEP-C · `expired` no connection for LIFETIME · `stopped` by our own side. */
export type TunnelEndWhy = 'asked' | 'expired' | 'stopped';

export type ServerOutput =
  | CloseOutput
  | StateOutput
  /** Somebody signed a request with what is not the name and password of a user. */
  | { readonly type: 'login-refused'; readonly peer: Endpoint; readonly fault: Fault }
  /**
   * Relay mode: open a socket on `address`; with `opensAddresses`: divert its packets. Answer
   * `listening(id)` or `listenFailed(id)`. Stays until `listen-end`. A binding number of
   * `sink.packet` is told by `bound`.
   */
  | {
      readonly type: 'listen';
      readonly id: number;
      readonly address: Endpoint;
      readonly protocol: FlowProtocol;
    }
  | {
      readonly type: 'listen-end';
      readonly id: number;
      readonly address: Endpoint;
      readonly protocol: FlowProtocol;
    }
  | {
      readonly type: 'tunnel-opened';
      readonly tunnel: number;
      readonly user: string;
      readonly peer: Endpoint;
      readonly conn: number;
    }
  | {
      readonly type: 'tunnel-joined';
      readonly tunnel: number;
      readonly peer: Endpoint;
      readonly conn: number;
      readonly stripe: number;
    }
  | {
      readonly type: 'tunnel-closed';
      readonly tunnel: number;
      readonly why: TunnelEndWhy;
    }
  /** One per public port: a pair makes two. */
  | {
      readonly type: 'bound';
      readonly tunnel: number;
      readonly binding: number;
      readonly address: Endpoint;
      readonly protocol: FlowProtocol;
    }
  | {
      readonly type: 'released';
      readonly tunnel: number;
      readonly binding: number;
      readonly address: Endpoint;
      readonly protocol: FlowProtocol;
    };

/** Where packets leave the machine. */
export interface PacketSink {
  /**
   * A whole IP packet at [start, end) of `b`, addresses and checksums right: for the application at
   * TEP-C, for the core at TEP-S. `b` is valid during the call only. `binding` is the number of the
   * binding that it belongs to (see `bound`), so that an agent need not look it up again. `now` is that of
   * the verb.
   */
  packet(b: Uint8Array, start: number, end: number, binding: number, now: number): void;
}
