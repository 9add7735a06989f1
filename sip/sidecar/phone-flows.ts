/**
 * The connections of phones, and which of them makes room for another (RFC 5923 clause 8.2: one may be closed when it
 * is idle; RFC 5626: a phone that is registered is reached by its flow alone). Time is an argument, in milliseconds.
 *
 * Memory: 50 octets each; how many there may be is their owner's affair.
 */

/** 64 × T1 of RFC 3261: a transaction in which nothing has passed for so long is over (timers B, F, H, J). */
export const TRANSACTION_MS = 32_000;

interface Flow {
  /** Anything, keep-alives too. */
  heardMs: number;
  /** A message, either way. */
  messageMs: number;
}

export class PhoneFlows {
  readonly #flows = new Map<number, Flow>();

  get size(): number {
    return this.#flows.size;
  }

  open(conn: number, now: number): void {
    this.#flows.set(conn, { heardMs: now, messageMs: Number.NEGATIVE_INFINITY });
  }

  /** Octets of the phone. */
  heard(conn: number, now: number): void {
    const flow = this.#flows.get(conn);
    if (flow !== undefined) flow.heardMs = now;
  }

  /** A message of the phone, or to it. */
  message(conn: number, now: number): void {
    const flow = this.#flows.get(conn);
    if (flow !== undefined) flow.messageMs = now;
  }

  close(conn: number): void {
    this.#flows.delete(conn);
  }

  /** Of those without a transaction that nobody needs, the one that was silent longest. */
  spare(isNeeded: (conn: number) => boolean, now: number): number | undefined {
    let spare: number | undefined;
    let longestMs = Number.POSITIVE_INFINITY;
    for (const [conn, { heardMs, messageMs }] of this.#flows) {
      const isIdle = messageMs <= now - TRANSACTION_MS;
      if (!isIdle || heardMs >= longestMs || isNeeded(conn)) continue;
      spare = conn;
      longestMs = heardMs;
    }
    return spare;
  }
}
