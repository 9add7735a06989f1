/** A connection at TEP-S: who is at the other end and how far it has got. */
import type { Endpoint } from '../wire/address.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { Tunnel } from './server-tunnels.ts';

export class ServerConnection extends Connection {
  readonly peer: Endpoint;
  /** Once it is ready. */
  tunnel: Tunnel | undefined;
  stripe = 0;
  /** Octets that came before it was ready. */
  unauthenticatedLength = 0;
  /** 401 and 438 that went out since the last request that was let in. */
  challenges = 0;

  constructor(
    conn: number,
    peer: Endpoint,
    options: ConnectionOptions,
    now: number,
    openDueMs?: number,
  ) {
    super(conn, 'opening', options, now);
    if (openDueMs !== undefined) this.openDueMs = openDueMs;
    this.peer = peer;
  }
}
