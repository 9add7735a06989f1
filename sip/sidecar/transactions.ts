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

export class Transactions {
  /** By method and branch; the one that was begun first at the front. */
  readonly #entries = new Map<string, Transaction>();
  readonly #refused = new Set<string>();

  begin(method: string, branch: string, transaction: Transaction): void {
    this.#entries.set(keyOf(method, branch), transaction);
    if (this.#entries.size <= MAX_TRANSACTIONS) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
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
}

function keyOf(method: string, branch: string): string {
  return `${method} ${branch}`;
}
