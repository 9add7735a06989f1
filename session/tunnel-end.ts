/**
 * The verbs that TEP-C and TEP-S share. Both are sans-IO: octets, packets and time go in; octets,
 * packets and wishes come out. No verb blocks, none throws for what the network or the peer did.
 *
 *     end.input(conn, chunk, 0, chunk.length, now);           // octets of a connection
 *     end.packet(buffer, start, stop, now);                   // a packet to tunnel
 *     for (let o = end.poll(); o !== undefined; o = end.poll()) obey(o);
 *     for (let c = end.writable(); c >= 0; c = end.writable()) {
 *       const octets = end.pending(c, now);
 *       end.wrote(c, socket.write(octets), now);              // how many were taken
 *     }
 *     sleepUntil(end.nextTimeout()); end.timeout(now);
 *
 * `now` is in milliseconds since 1970, never goes back and may have a fraction. Connections are
 * small numbers: TEP-C chooses them (`connect`), at TEP-S the agent does (`accepted`); one is free
 * again after `disconnected`.
 */
import type { Fault } from '../wire/faults.ts';
import type { CarrierState } from './carrier.ts';
import type { Counters } from './counters.ts';

/** Gives that many unpredictable octets. */
export type RandomSource = (length: number) => Uint8Array;

export interface TunnelEnd<Output> {
  /**
   * Octets [from, to) arrived on a connection. They stay the caller's, but those of IP records may
   * be changed in place while the call lasts.
   */
  input(conn: number, b: Uint8Array, from: number, to: number, now: number): void;
  /** The connection is gone, or could not be made. Illegal for an unknown one: counted, no more. */
  disconnected(conn: number, now: number): void;
  /**
   * One IP packet at [at, end) to carry to the other end. It is rewritten in place and copied. 0, or
   * why it was dropped (counted already). It may still be dropped while it waits (session/media/).
   */
  packet(b: Uint8Array, at: number, end: number, now: number): 0 | Fault;

  timeout(now: number): void;
  /** When to call `timeout` next; Infinity when nothing waits. May become earlier by any other verb. */
  nextTimeout(): number;
  poll(): Output | undefined;

  /** One connection that got something to send since it was last given out; -1 when none. */
  writable(): number;
  /**
   * What may be written to the connection now; empty when nothing. A view, not a copy: the octets do
   * not change or move before `wrote` has accounted for them. Asked again it gives the same ones. What
   * it gives is no longer to be dropped: ask only when it can be written.
   */
  pending(conn: number, now: number): Uint8Array;
  /**
   * The first `n` octets of `pending` have been taken. To be called as soon as they are; with none as soon as
   * it is known that the system makes the rest wait, for that tells how full it is.
   */
  wrote(conn: number, n: number, now: number): void;
  /** What the agent knows of the system below a connection, where it can ask; as often as it likes. */
  carrier(conn: number, state: CarrierState, now: number): void;

  /** Sums over all tunnels, drops by fault. */
  readonly counters: Counters;
}

export interface LivenessOptions {
  /** An indication is sent when nothing was sent for this long (RFC 8445 11: never below 15 s). */
  readonly idleMs?: number;
  /** The connection is given up when nothing was received for this long. */
  readonly deadMs?: number;
  /**
   * At TEP-C, while media flow: it is given up when a question is not answered for this long and
   * nothing else came either (a NAT forgot it, a link is down somewhere). Default: only `deadMs`.
   */
  readonly silentMs?: number;
}
