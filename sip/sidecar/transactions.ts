/**
 * Requests of the phone that are under way, by the branch that they left with: the Vias that they came
 * with, which the network does not see, and where the answers go.
 *
 * An edge proxy takes a request with one Via to be a UE's own, and does for it what it does for UEs
 * behind a NAT. With two it would not: for it the NAT would be somewhere else.
 *
 * Memory: MAX_TRANSACTIONS, and MAX_OCTETS of what is kept of them, as a rule 100 octets each. Those go first that
 * have their final answer, which are kept for its repetitions only: an INVITE that rings waits for minutes.
 */
import { detached } from '../detached.ts';
import type { Request } from '../message.ts';
import { AgingMap } from './aging-map.ts';
import type { Peer } from './phones.ts';

export interface Transaction {
  /** Field value: the Vias as they came, the topmost with where it came from. */
  readonly vias: string;
  readonly peer: Peer;
  /** Only of REGISTER, whose answer says what it asked for. */
  readonly register: Request | undefined;
}

export const MAX_TRANSACTIONS = 4_096;
export const MAX_OCTETS = 4 * 1024 * 1024;
const MAX_REFUSED = 256;

export class Transactions {
  /** By method and branch. */
  readonly #open = new AgingMap<Transaction>();
  readonly #answered = new AgingMap<Transaction>();
  #octets = 0;
  readonly #refused = new Set<string>();

  begin(method: string, branch: string, transaction: Transaction): void {
    const key = keyOf(method, branch);
    const answered = this.#answered.get(key);
    const known = answered ?? this.#open.get(key);
    const entries = answered === undefined ? this.#open : this.#answered;
    const { vias, peer, register } = transaction;
    // Written out, as a spread here took 5 µs (Node 20).
    const kept = { vias: detached(vias), peer, register };
    entries.set(key, kept);
    this.#octets += lengthOf(kept) - lengthOf(known);
    this.#makeRoom();
  }

  /** `method` is that of CSeq. */
  of(method: string, branch: string): Transaction | undefined {
    const key = keyOf(method, branch);
    return this.#open.get(key) ?? this.#answered.get(key);
  }

  /** It has its final answer. */
  answered(method: string, branch: string): void {
    const key = keyOf(method, branch);
    const transaction = this.#open.get(key);
    if (transaction === undefined) return;
    this.#open.delete(key);
    this.#answered.set(key, transaction);
  }

  /** We have refused the INVITE of this branch ourselves: nobody else waits for the ACK to that. */
  refused(branch: string): void {
    this.#refused.delete(branch);
    this.#refused.add(detached(branch));
    const [oldest] = this.#refused;
    if (this.#refused.size > MAX_REFUSED && oldest !== undefined) this.#refused.delete(oldest);
  }

  isRefused(branch: string): boolean {
    return this.#refused.has(branch);
  }

  #makeRoom(): void {
    const isFull = () => {
      const count = this.#open.size + this.#answered.size;
      return count > MAX_TRANSACTIONS || this.#octets > MAX_OCTETS;
    };
    while (isFull()) {
      const oldest = this.#answered.takeOldest() ?? this.#open.takeOldest();
      this.#octets -= lengthOf(oldest);
    }
  }
}

/** Octets that are kept of it. */
function lengthOf(transaction: Transaction | undefined): number {
  if (transaction === undefined) return 0;
  return transaction.vias.length + (transaction.register?.text.length ?? 0);
}

function keyOf(method: string, branch: string): string {
  return `${method} ${branch}`;
}
