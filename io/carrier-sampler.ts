/**
 * Tells a tunnel end how the system stands with its connections (`carrier`), while they have something
 * under way: what has been written and not acknowledged, whether something is lost, the round trip. A
 * connection of which the system tells nothing (no koffi, not TCP) is not asked again until it is written
 * to, and the end goes by what it measures itself.
 *
 * Cost: two system calls for a sample, of MOST_A_SWEEP connections at most every SWEEP_MS: about 1 % of a
 * processor however many connections there are, because then each is asked less often.
 *
 * Memory: an entry for each connection that has something under way.
 */
import type { Duplex } from 'node:stream';
import type { TunnelEnd } from '../session/tunnel-end.ts';
import { TcpInfo } from './tcp-info.ts';

const SWEEP_MS = 2;
const MOST_A_SWEEP = 8;

export class CarrierSampler {
  readonly #end: Pick<TunnelEnd<unknown>, 'carrier'>;
  readonly #tcp = new TcpInfo();
  readonly #state = { outstanding: 0, isTroubled: false, rttMs: 0 };
  /** With something under way, the one that was asked last at the end. */
  readonly #busy = new Map<number, Duplex>();
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(end: Pick<TunnelEnd<unknown>, 'carrier'>) {
    this.#end = end;
  }

  /** Something is being written to the connection. */
  wrote(conn: number, stream: Duplex): void {
    if (!this.#busy.has(conn)) this.#busy.set(conn, stream);
  }

  gone(conn: number): void {
    this.#busy.delete(conn);
  }

  /** To be called before octets are written, as often as that is. */
  sweep(now: number): void {
    if (this.#busy.size === 0 || now - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = now;
    let left = Math.min(MOST_A_SWEEP, this.#busy.size);
    for (const [conn, stream] of this.#busy) {
      if (left === 0) break;
      left -= 1;
      this.#sample(conn, stream, now);
    }
  }

  #sample(conn: number, stream: Duplex, now: number): void {
    this.#busy.delete(conn);
    const tcp = this.#tcp;
    if (!tcp.read(stream)) return;
    const state = this.#state;
    state.outstanding = tcp.outstanding;
    state.isTroubled = tcp.isTroubled;
    state.rttMs = tcp.rttMs;
    this.#end.carrier(conn, state, now);
    if (tcp.outstanding > 0) this.#busy.set(conn, stream);
  }
}
