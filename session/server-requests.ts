/**
 * Control records at TEP-S: who asks, may he, and how is it answered (tep-wire 3; standards M-08, M-10;
 * RFC 8489 9). What is asked for is the business of server.ts and server-binder.ts.
 *
 * A connection that is not authenticated costs nothing but its buffers: nonces are stateless, and both
 * what it may send and how often it may be refused are bounded. Each request that changes something is
 * authenticated by itself, on an authenticated connection too.
 */
import { FAULTS, type Fault, faultAction } from '../wire/faults.ts';
import type { Attribute } from '../wire/stun/attributes.ts';
import { answerBinding, answerBroken } from '../wire/stun/binding.ts';
import {
  decode,
  encode,
  errorResponse,
  has,
  type Integrity,
  type StunMessage,
  type StunParts,
} from '../wire/stun/message.ts';
import { type ErrorCode, METHODS } from '../wire/stun/registry.ts';
import { type AuthPolicy, authenticate } from '../wire/stun/server-auth.ts';
import type { Connections } from './connections.ts';
import type { Counters } from './counters.ts';
import type { ServerLimits } from './limits.ts';
import { success } from './messages.ts';
import type { ServerOutput } from './outputs.ts';
import type { ServerConnection } from './server-connection.ts';

/** Refusals in a row on one connection, after which it is ended. */
const MAX_CHALLENGES = 5;

/** A request that was let in, with what its answer has to be protected with. */
export interface Asked {
  readonly c: ServerConnection;
  readonly message: StunMessage;
  readonly integrity: Integrity | undefined;
}

export interface ServerRequestsParts {
  readonly connections: Connections<ServerConnection, ServerOutput>;
  readonly counters: Counters;
  readonly auth: AuthPolicy;
  readonly software: string;
  /** These may change. */
  readonly limits: Pick<ServerLimits, 'unauthenticatedOctets'>;
  /** `user` is undefined where nobody is asked who he is. */
  asked(asked: Asked, user: string | undefined, now: number): void;
}

export class ServerRequests {
  readonly #parts: ServerRequestsParts;

  constructor(parts: ServerRequestsParts) {
    this.#parts = parts;
  }

  /** A control record came. */
  control(c: ServerConnection, b: Uint8Array, at: number, end: number, now: number): void {
    if (c.state !== 'ready') {
      c.unauthenticatedLength += end - at;
      if (c.unauthenticatedLength > this.#parts.limits.unauthenticatedOctets) {
        this.#parts.connections.end(c, 'refuse', FAULTS.UNAUTHENTICATED_LIMIT, now);
        return;
      }
    }
    const message = decode(b, at, end);
    if (typeof message === 'number') this.#broken(c, message, b, at, end, now);
    else if (message.class === 'request' && message.method === METHODS.BINDING) {
      this.#request(c, message, b, at, now);
    } else if (message.class !== 'indication') {
      this.#parts.counters.note(FAULTS.STUN_UNEXPECTED);
    }
  }

  succeed(asked: Asked, attributes: readonly Attribute[], now: number): void {
    this.#send(asked.c, success(asked.message, attributes), asked.integrity, now);
  }

  refuse(code: ErrorCode, asked: Asked, now: number): void {
    this.#send(asked.c, errorResponse(asked.message, code), asked.integrity, now);
  }

  #request(
    c: ServerConnection,
    message: StunMessage,
    b: Uint8Array,
    at: number,
    now: number,
  ): void {
    const { auth, connections, software } = this.#parts;
    if (!isForTunnel(message)) {
      const answer = answerBinding(message, c.peer, software);
      if (answer !== undefined) connections.sendControl(c, answer, now);
      return;
    }
    const result = authenticate(message, b, at, auth, c.peer, now);
    if (result.ok) {
      c.challenges = 0;
      this.#parts.asked({ c, message, integrity: result.integrity }, result.user, now);
      return;
    }
    // The first request of a client comes bare by design (RFC 8489 9.2.3): nothing to be counted.
    if (message.integrityAt + message.integritySha256At > 0) this.#failed(c, result.fault);
    if (result.answer !== undefined) this.#send(c, result.answer, result.integrity, now);
    this.#challenged(c, now);
  }

  /** A nonce that is too old is everyday life: the client has only to repeat its request (438). */
  #failed(c: ServerConnection, fault: Fault): void {
    const { connections, counters } = this.#parts;
    counters.note(fault);
    if (fault === FAULTS.STUN_INTEGRITY) {
      connections.tell({ type: 'login-refused', peer: c.peer, fault });
    }
  }

  #challenged(c: ServerConnection, now: number): void {
    const { connections, counters } = this.#parts;
    c.challenges += 1;
    if (c.challenges > MAX_CHALLENGES) {
      counters.note(FAULTS.UNAUTHENTICATED_LIMIT);
      connections.end(c, c.state === 'ready' ? 'shut' : 'refuse', 0, now);
    } else if (c.state !== 'ready') {
      connections.move(c, 'challenge', now);
    }
  }

  #broken(
    c: ServerConnection,
    fault: Fault,
    b: Uint8Array,
    at: number,
    end: number,
    now: number,
  ): void {
    const { connections, counters } = this.#parts;
    if (faultAction(fault) === 'close') {
      connections.end(c, 'shut', fault, now);
      return;
    }
    counters.note(fault);
    const answer = faultAction(fault) === 'answer' ? answerBroken(b, at, end) : undefined;
    if (answer !== undefined) connections.sendControl(c, answer, now);
  }

  #send(
    c: ServerConnection,
    parts: StunParts,
    integrity: Integrity | undefined,
    now: number,
  ): void {
    this.#parts.connections.sendControl(c, encode(parts, { integrity, fingerprint: true }), now);
  }
}

/** Anything that is not an ordinary STUN request. */
function isForTunnel(message: StunMessage): boolean {
  return (
    has(message, 'TEP-TUNNEL') ||
    has(message, 'TEP-BINDING') ||
    has(message, 'TEP-CLOSE') ||
    has(message, 'TEP-STATS')
  );
}
