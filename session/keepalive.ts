/**
 * Liveness of one connection (tep-wire 7, RFC 8445 11, standards M-19): when to send a Binding
 * indication because nothing else was sent, and when to give the connection up because nothing came.
 * Any octets count in either direction.
 *
 * A connection on which a segment is missing is kept warm besides: fewer media go there, and TCP learns only from what is
 * acknowledged after it that a segment which it has sent again is lost too (RFC 8985 5). Without that it takes a
 * timeout.
 */
import type { LivenessOptions } from './tunnel-end.ts';

const IDLE_MS = 15_000;
const DEAD_MS = 40_000;
/** As a call would. */
const WARM_MS = 20;
/**
 * A time that is kept has a fraction from the beginning: to a field that was `undefined` at first V8 assigns each time by
 * reference, which the garbage collector has to be told.
 */
const NEVER = Number.NEGATIVE_INFINITY;

export class Keepalive {
  readonly #idleMs: number;
  readonly #deadMs: number;
  /** When something was last sent and received; set by the data path. */
  sentAtMs = NEVER;
  receivedAtMs = NEVER;

  constructor(options: LivenessOptions | undefined, now: number) {
    this.#idleMs = options?.idleMs ?? IDLE_MS;
    this.#deadMs = options?.deadMs ?? DEAD_MS;
    this.sentAtMs = now;
    this.receivedAtMs = now;
  }

  indicationDue(now: number): boolean {
    return now >= this.sentAtMs + this.#idleMs;
  }

  /** Of a connection on which a segment is missing. */
  isCold(now: number): boolean {
    return now >= this.sentAtMs + WARM_MS;
  }

  deadAtMs(): number {
    return this.receivedAtMs + this.#deadMs;
  }

  /** The earlier of the two. */
  deadline(): number {
    return Math.min(this.sentAtMs + this.#idleMs, this.deadAtMs());
  }
}
