/**
 * What another worker sends to a client whose connection only this one can write to, because it is in TLS. That
 * worker sees a socket of this host, which always has room: it would never learn that the way to the client is full,
 * and seconds of media would lie here, where nothing can be dropped by age. So no more is taken from it
 * than the way carries with a short queue (session/media/path-budget.ts), and one piece at a time. The
 * rest stays in its own queue.
 *
 * Memory: one piece, no longer than what `keepShort` leaves in the socket.
 */
import type { Duplex } from 'node:stream';
import { now } from '../../io/clock.ts';
import { isIoFault } from '../../io/io-fault.ts';
import { libc } from '../../io/kernel/libc.ts';
import { TcpInfo } from '../../io/tcp-info.ts';
import { descriptorOf } from '../../io/tcp-options.ts';
import { PathBudget } from '../../session/media/path-budget.ts';
import { RecentLeast } from '../../session/recent-least.ts';

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
/** Two or three packets, for the system makes 4,608 of it and counts its bookkeeping; a piece is no longer. */
const SHORT_LEN = 2_048;
/** How often the system is asked, and so how long it may take until the next piece goes. */
const LOOK_MS = 8;
/** How long a round trip is remembered (session/carrier.ts). */
const LEAST_RTT_MS = 10_000;

/** What the system tells of the connection to the client. */
export type Known = Pick<TcpInfo, 'read' | 'outstanding' | 'rttMs'>;

/** No more than a few packets wait in this socket between two workers, on their way to the client. */
export function keepShort(socket: Duplex): void {
  const calls = libc();
  if (!isIoFault(calls)) calls.setOption(descriptorOf(socket), SOL_SOCKET, SO_SNDBUF, SHORT_LEN);
}

export class NarrowPipe {
  readonly #from: Duplex;
  readonly #to: Duplex;
  readonly #tcp: Known;
  readonly #budget = new PathBudget();
  readonly #least = new RecentLeast(LEAST_RTT_MS);
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** Octets, as the system said when it was asked last, and what was written since. */
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;

  /** From now on, until either closes. */
  constructor(from: Duplex, to: Duplex, tcp: Known = new TcpInfo()) {
    this.#from = from;
    this.#to = to;
    this.#tcp = tcp;
    from.on('data', this.#take);
    from.once('end', () => to.end());
    for (const one of [from, to]) one.once('close', () => clearTimeout(this.#timer));
  }

  readonly #take = (piece: Uint8Array): void => {
    this.#from.pause();
    this.#underWay += piece.length;
    this.#to.write(piece, () => this.#next());
  };

  readonly #next = (): void => {
    if (this.#to.destroyed) return;
    this.#look(now());
    if (this.#budget.fits(this.#underWay, SHORT_LEN)) this.#from.resume();
    else this.#timer = setTimeout(this.#next, LOOK_MS);
  };

  #look(nowMs: number): void {
    if (nowMs < this.#lookedMs + LOOK_MS) return;
    this.#lookedMs = nowMs;
    const isKnown = this.#tcp.read(this.#to);
    this.#underWay = isKnown ? this.#tcp.outstanding : 0;
    if (!isKnown) return;
    this.#least.see(this.#tcp.rttMs, nowMs);
    this.#budget.judge(this.#tcp.rttMs, this.#least.value, nowMs);
  }
}
