/**
 * Tells a tunnel end how the system stands with its connections (`carrier`), while they have something
 * under way: what has been written and not acknowledged, whether something is lost, the round trip. A
 * connection of which the system tells nothing (no koffi, not TCP) is not asked again until it is written
 * to, and the end goes by what it measures itself.
 *
 * Cost: two system calls for a sample. Each connection is asked every AGAIN_MS, for a sign of loss is there for a
 * round trip at least, and what was written since is known without asking; of many, MOST_A_SWEEP every SWEEP_MS: some
 * per cent of a processor however many there are.
 *
 * Memory: an entry for each connection that has something under way.
 */
import type { Duplex } from 'node:stream';
import type { TunnelEnd } from '../session/tunnel-end.ts';
import { TcpInfo } from './tcp-info.ts';

const SWEEP_MS = 2;
const AGAIN_MS = 8;
const MOST_A_SWEEP = 8;
/**
 * Beyond the round trip and what it varies by (RFC 6298): the longest delay of an acknowledgement, and a probe.
 */
const SILENT_MS = 60;

export interface Sampled {
  readonly stream: Duplex;
  /** Since when it has had something under way without a rest. */
  busySinceMs: number;
  /** When the system was asked about it last. */
  askedMs: number;
}

export class CarrierSampler {
  readonly #end: Pick<TunnelEnd<unknown>, 'carrier'>;
  readonly #tcp = new TcpInfo();
  readonly #state = {
    ...{ outstanding: 0, acknowledged: 0, outOfOrder: 0, rttMs: 0 },
    ...{ isTroubled: false, isSilent: false },
  };
  /** With something under way, the one that was asked last at the end. */
  readonly #busy = new Map<number, Sampled>();
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(end: Pick<TunnelEnd<unknown>, 'carrier'>) {
    this.#end = end;
  }

  /** Something is being written to the connection. */
  wrote(conn: number, sampled: Sampled, now: number): void {
    if (this.#busy.has(conn)) return;
    sampled.busySinceMs = now;
    this.#busy.set(conn, sampled);
  }

  gone(conn: number): void {
    this.#busy.delete(conn);
  }

  /** To be called before octets are written, as often as that is. */
  sweep(now: number): void {
    if (this.#busy.size === 0) return;
    if (now - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = now;
    let left = Math.min(MOST_A_SWEEP, this.#busy.size);
    for (const [conn, sampled] of this.#busy) {
      if (left === 0 || now - sampled.askedMs < AGAIN_MS) break;
      left -= 1;
      this.#sample(conn, sampled, now);
    }
  }

  #sample(conn: number, sampled: Sampled, now: number): void {
    this.#busy.delete(conn);
    sampled.askedMs = now;
    const tcp = this.#tcp;
    if (!tcp.read(sampled.stream)) return;
    const state = this.#state;
    state.outstanding = tcp.outstanding;
    state.acknowledged = tcp.acknowledged;
    state.outOfOrder = tcp.outOfOrder;
    state.isTroubled = tcp.isTroubled;
    state.isSilent = tcp.outstanding > 0 && this.#isSilent(now - sampled.busySinceMs);
    state.rttMs = tcp.rttMs;
    this.#end.carrier(conn, state, now);
    // Of a write that the stream has not reported yet, the end will hear later that it was taken.
    const isBusy = tcp.outstanding > 0 || sampled.stream.writableLength > 0;
    if (isBusy) this.#busy.set(conn, sampled);
  }

  /** Of the reading: what was sent after a rest is not overdue because the answer before it is old. */
  #isSilent(busyMs: number): boolean {
    const { rttMs, rttVarMs, lastAckMs } = this.#tcp;
    return Math.min(busyMs, lastAckMs) > rttMs + 4 * rttVarMs + SILENT_MS;
  }
}
