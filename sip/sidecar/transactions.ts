/**
 * Requests of the phone that are under way, by the branch that they left with: the Vias that they came
 * with, which the network does not see, and where the answers go.
 *
 * An edge proxy takes a request with one Via to be a UE's own, and does for it what it does for UEs
 * behind a NAT. With two it would not: for it the NAT would be somewhere else.
 *
 * Memory: MAX_TRANSACTIONS texts of at most MAX_MESSAGE_LEN, as a rule 100 octets; the oldest go.
 */
import type { Request } from '../message.ts';
import type { Peer } from './phones.ts';

export interface Transaction {
  /** Field value: the Vias as they came, the topmost with where it came from. */
  readonly vias: string;
  readonly peer: Peer;
  /** Only of REGISTER, whose answer says what it asked for. */
  readonly register: Request | undefined;
}

export const MAX_TRANSACTIONS = 4_096;
const MAX_REFUSED = 256;
/** Longer than any INVITE rings: timer C is above three minutes, and 1xx restart it. */
const LONGEST_MS = 900_000;

interface Entry extends Transaction {
  readonly endsAtMs: number;
}

export class Transactions {
  /** By method and branch; the one that was begun first at the front. */
  readonly #entries = new Map<string, Entry>();
  readonly #refused = new Set<string>();

  begin(method: string, branch: string, transaction: Transaction, now: number): void {
    const key = keyOf(method, branch);
    this.#entries.delete(key);
    this.#entries.set(key, { ...transaction, endsAtMs: now + LONGEST_MS });
    for (const [oldest, { endsAtMs }] of this.#entries) {
      if (this.#entries.size <= MAX_TRANSACTIONS && endsAtMs > now) break;
      this.#entries.delete(oldest);
    }
  }

  /** `method` is that of CSeq. */
  of(method: string, branch: string): Transaction | undefined {
    return this.#entries.get(keyOf(method, branch));
  }

  /** We have refused the INVITE of this branch ourselves: nobody else waits for the ACK to that. */
  refused(branch: string): void {
    this.#refused.delete(branch);
    this.#refused.add(branch);
    const [oldest] = this.#refused;
    if (this.#refused.size > MAX_REFUSED && oldest !== undefined) this.#refused.delete(oldest);
  }

  isRefused(branch: string): boolean {
    return this.#refused.has(branch);
  }

  get size(): number {
    return this.#entries.size;
  }
}

function keyOf(method: string, branch: string): string {
  return `${method} ${branch}`;
}
