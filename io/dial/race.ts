/**
 * Happy Eyeballs (RFC 8305 clause 5): addresses are tried one after the other, the next one when the
 * one before has failed or has not answered for 250 ms, and the first connection wins. An attempt that
 * was overtaken goes on, unlike those of Node's own `autoSelectFamily`, which would never reach a
 * server more than 250 ms away.
 */
import { connect, type Socket } from 'node:net';
import { type IoFault, ioFault } from '../io-fault.ts';
import { STREAM } from '../tcp.ts';

/** RFC 8305 clause 8: the Connection Attempt Delay. */
const ATTEMPT_DELAY_MS = 250;

export interface RaceOptions {
  readonly addresses: readonly string[];
  readonly port: number;
}

/** Gives what ends the race without a winner; `finish` is not called then. */
export function race(
  options: RaceOptions,
  finish: (outcome: Socket | RaceLost) => void,
): () => void {
  const running = new Race(options, finish);
  running.next();
  return () => running.end();
}

/** Every address failed: why, in the order in which they did. */
export interface RaceLost {
  readonly type: 'race-lost';
  readonly failures: ReadonlyArray<{ readonly address: string; readonly fault: IoFault }>;
}

class Race {
  readonly #options: RaceOptions;
  readonly #finish: (outcome: Socket | RaceLost) => void;
  readonly #running = new Set<Socket>();
  readonly #failures: Array<{ address: string; fault: IoFault }> = [];
  #tried = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RaceOptions, finish: (outcome: Socket | RaceLost) => void) {
    this.#options = options;
    this.#finish = finish;
  }

  next(): void {
    clearTimeout(this.#timer);
    const { addresses, port } = this.#options;
    const address = addresses[this.#tried];
    if (address === undefined) {
      if (this.#running.size > 0) return;
      this.#finish({ type: 'race-lost', failures: this.#failures });
      return;
    }
    this.#tried += 1;
    const socket = connect({ host: address, port, ...STREAM });
    this.#running.add(socket);
    socket.once('connect', () => this.#won(socket));
    socket.on('error', (error) => this.#failed(address, socket, error));
    this.#timer = setTimeout(() => this.next(), ATTEMPT_DELAY_MS);
  }

  /** No attempt goes on, and the timer is off. */
  end(): void {
    clearTimeout(this.#timer);
    for (const socket of this.#running) socket.destroy();
    this.#running.clear();
  }

  #won(socket: Socket): void {
    // An attempt that was ended can still have its connection on the way to us.
    if (!this.#running.delete(socket)) return;
    this.end();
    this.#finish(socket);
  }

  #failed(address: string, socket: Socket, error: Error): void {
    // Errors of the winner, or of one that was overtaken, are nothing to the race.
    if (!this.#running.delete(socket)) return;
    this.#failures.push({ address, fault: ioFault(error) });
    this.next();
  }
}
