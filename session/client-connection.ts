/** A connection at TEP-C: which stripe it is, how it authenticates, what it has asked. */
import type { Endpoint, Family } from '../wire/address.ts';
import { ClientAuth, type SignedRequest } from '../wire/stun/client-auth.ts';
import type { ClientBinding } from './client-bindings.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { ClientPolicy } from './options.ts';
import type { FlowProtocol } from './outputs.ts';
import { type Transaction, Transactions } from './transactions.ts';

const NEVER_YET = Number.NEGATIVE_INFINITY;
const NEVER = Number.POSITIVE_INFINITY;

/** What to give back: the binding itself is forgotten already. */
export interface Release {
  readonly family: Family;
  readonly port: number;
  readonly flags: number;
  readonly protocol: FlowProtocol;
}

/** What was asked. */
export type Purpose =
  | { readonly type: 'open' }
  | { readonly type: 'bind'; readonly binding: ClientBinding }
  | { readonly type: 'release'; readonly release: Release }
  | { readonly type: 'close' }
  /** `given`: octets that all connections had been given. */
  | { readonly type: 'stats'; readonly given: number };

export interface ClientTransaction extends Transaction {
  readonly purpose: Purpose;
  readonly request: SignedRequest;
}

export class ClientConnection extends Connection {
  readonly stripe: number;
  /** A nonce is bound to one connection's address (RFC 8489 9.2), so each has its own. */
  readonly auth: ClientAuth;
  readonly transactions = new Transactions<ClientTransaction>();
  /** The address of this connection as TEP-S sees it; undefined before it is ready. */
  outer: Endpoint | undefined;
  rttMs: number | undefined;
  /** Of the octets given to all connections so many are not under way on this one any more. */
  arrivedOctets: number | undefined;
  /** When the path was last doubted, and when the doubt is certainty unless something is received. */
  #doubtedMs = NEVER_YET;
  #provenDeadMs = NEVER;

  constructor(
    conn: number,
    stripe: number,
    options: ConnectionOptions,
    auth: ClientPolicy['auth'],
    now: number,
  ) {
    super(conn, 'connecting', options, now);
    this.stripe = stripe;
    this.auth = new ClientAuth({ ...auth, reliable: true });
  }

  /** Something is asked now: if nothing is received within `limitMs`, the connection is dead. */
  probe(now: number, limitMs: number): void {
    if (this.#isDoubted()) {
      this.#provenDeadMs = Math.min(this.#provenDeadMs, now + limitMs);
      return;
    }
    this.#doubtedMs = now;
    this.#provenDeadMs = now + limitMs;
  }

  override answerDueMs(): number {
    const deadline = this.transactions.deadline();
    return this.#isDoubted() ? Math.min(deadline, this.#provenDeadMs) : deadline;
  }

  #isDoubted(): boolean {
    return this.keepalive.receivedAtMs < this.#doubtedMs;
  }
}
