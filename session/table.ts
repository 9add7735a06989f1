/**
 * States and events of a connection and of a tunnel: one table for TEP-C and TEP-S (tep-wire 3, 7).
 * An event is named after what passed between the ends, whichever end sent it; so each row holds for
 * both. A pair that is not in the table is illegal: it is counted as a fault and changes nothing.
 *
 * Connection (one TCP or TLS connection, a stripe of the tunnel):
 *   connecting   TEP-C asked its agent for a connection
 *   opening      carrier there, nothing authenticated; STUN records only
 *   challenged   401 or 438 passed
 *   ready        authenticated, part of a tunnel; data flows
 *   draining     what is queued is still written, nothing is read
 *   closed       gone
 *
 * Tunnel:
 *   idle         never opened
 *   opening      no connection was admitted yet
 *   up           at least one connection is ready
 *   lost         no connection is, the bindings are kept for LIFETIME
 *   closing      TEP-CLOSE was sent
 *   expired      TEP-S has forgotten the tunnel; TEP-C opens a new one
 *   closed       over
 */

export type ConnectionState =
  | 'connecting'
  | 'opening'
  | 'challenged'
  | 'ready'
  | 'draining'
  | 'closed';

/**
 * `carrier-up`, `carrier-down` the connection below · `challenge` 401 or 438 passed · `admit` a
 * success with TEP-TUNNEL passed · `refuse` a final error passed, or an answer that proves the peer
 * no TEP-S · `shut` this end is done with it.
 */
export type ConnectionEvent =
  | 'carrier-up'
  | 'carrier-down'
  | 'challenge'
  | 'admit'
  | 'refuse'
  | 'shut';

export type TunnelState = 'idle' | 'opening' | 'up' | 'lost' | 'closing' | 'expired' | 'closed';

/**
 * `open` a tunnel is wanted · `remember` a predecessor of this TEP-C had one · `admit` a connection became ready · `carriers-lost` the last ready
 * connection went · `expire` LIFETIME is over or the token is not known any more · `refuse` it can
 * not be had · `close` TEP-CLOSE was sent or received · `end` the end of closing.
 */
export type TunnelEvent =
  | 'open'
  | 'remember'
  | 'admit'
  | 'carriers-lost'
  | 'expire'
  | 'refuse'
  | 'close'
  | 'end';

type Table<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>;

export const CONNECTION_TABLE: Table<ConnectionState, ConnectionEvent> = {
  connecting: { 'carrier-up': 'opening', 'carrier-down': 'closed', shut: 'draining' },
  opening: {
    challenge: 'challenged',
    admit: 'ready',
    refuse: 'draining',
    shut: 'draining',
    'carrier-down': 'closed',
  },
  challenged: {
    challenge: 'challenged',
    admit: 'ready',
    refuse: 'draining',
    shut: 'draining',
    'carrier-down': 'closed',
  },
  ready: { shut: 'draining', 'carrier-down': 'closed' },
  draining: { 'carrier-up': 'draining', 'carrier-down': 'closed' },
  closed: {},
};

export const TUNNEL_TABLE: Table<TunnelState, TunnelEvent> = {
  idle: { open: 'opening', remember: 'lost' },
  opening: { admit: 'up', refuse: 'closed', close: 'closed' },
  up: { 'carriers-lost': 'lost', close: 'closing' },
  lost: { admit: 'up', expire: 'expired', refuse: 'closed', close: 'closed' },
  closing: { end: 'closed' },
  expired: { open: 'opening' },
  closed: { open: 'opening' },
};

/** The next state, or undefined when the event is illegal in this one. */
export function nextConnectionState(
  state: ConnectionState,
  event: ConnectionEvent,
): ConnectionState | undefined {
  return CONNECTION_TABLE[state][event];
}

export function nextTunnelState(state: TunnelState, event: TunnelEvent): TunnelState | undefined {
  return TUNNEL_TABLE[state][event];
}
