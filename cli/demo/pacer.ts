/**
 * Sends for many streams at an even pace from one timer. When something is due follows from its number,
 * never from when the one before was sent, so a late turn is made up for and nothing drifts.
 */
import { now } from '../../io/clock.ts';

/** Sends in one go before the event loop gets its turn: sockets are read between bursts. */
const BURST = 64;

export interface PacerOptions {
  /** Between two packets of one stream. */
  readonly periodMs: number;
  /** Packets of each stream. */
  readonly packets: number;
  /** Streams, spread evenly over the period. */
  readonly streams: number;
  /** Packet `n`, from 0, of a stream is due. */
  readonly send: (stream: number, n: number) => void;
}

export class Pacer {
  readonly #options: PacerOptions;
  #startMs = 0;
  #next = 0;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #done: () => void = () => {};

  constructor(options: PacerOptions) {
    this.#options = options;
  }

  /** How long after the start packet 0 of a stream is due. */
  offsetMs(stream: number): number {
    return (stream * this.#options.periodMs) / this.#options.streams;
  }

  /** Sends from `startMs` on. Resolves after the last packet, or when stopped. */
  run(startMs: number): Promise<void> {
    this.#startMs = startMs;
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#turn();
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#done();
  }

  #turn(): void {
    const { streams, packets, send } = this.#options;
    for (let i = 0; i < BURST; i++) {
      if (this.#stopped) return;
      if (this.#next === streams * packets) {
        this.#done();
        return;
      }
      const stream = this.#next % streams;
      const n = Math.floor(this.#next / streams);
      const dueMs = this.#startMs + this.offsetMs(stream) + n * this.#options.periodMs;
      const waitMs = dueMs - now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#turn(), waitMs);
        return;
      }
      this.#next += 1;
      send(stream, n);
    }
    this.#immediate = setImmediate(() => this.#turn());
  }
}
