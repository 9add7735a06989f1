/**
 * When a flow may ask for a binding again after one like it was refused: a packet each 20 ms must not
 * become a request each 20 ms. What refuses a flow (403, 440, 486, 508, our own limit) refuses all of
 * its family and protocol, so there are four pauses and no table that a flood could fill. They grow
 * from refusal to refusal; what is granted, or given back, ends them.
 */
import type { Family } from '../wire/address.ts';
import { u8 } from '../wire/bytes.ts';
import * as tcp from '../wire/tcp.ts';
import { type Backoff, backoffMs } from './backoff.ts';
import type { FlowProtocol } from './outputs.ts';
import type { RandomSource } from './tunnel-end.ts';

const WAITS: Backoff = { firstMs: 1_000, mostMs: 60_000 };

interface Pause {
  refusals: number;
  endsMs: number;
}

export class Refusals {
  readonly #random: RandomSource;
  /** UDP and TCP over IPv4, then over IPv6. */
  readonly #pauses: readonly Pause[] = Array.from({ length: 4 }, () => ({
    refusals: 0,
    endsMs: 0,
  }));

  constructor(random: RandomSource) {
    this.#random = random;
  }

  isPaused(family: Family, protocol: number, now: number): boolean {
    return now < this.#pauseOf(family, protocol).endsMs;
  }

  note(family: Family, protocol: FlowProtocol, now: number): void {
    const pause = this.#pauseOf(family, protocol);
    // Several flows that asked at the same time are refused at the same time: once.
    if (now < pause.endsMs) return;
    pause.endsMs = now + backoffMs(pause.refusals, u8(this.#random(1), 0), WAITS);
    pause.refusals += 1;
  }

  /** One of this kind was granted. */
  granted(family: Family, protocol: FlowProtocol): void {
    end(this.#pauseOf(family, protocol));
  }

  /** What is free may have changed for all kinds. */
  clear(): void {
    for (const pause of this.#pauses) end(pause);
  }

  #pauseOf(family: Family, protocol: number): Pause {
    const index = (family === 4 ? 0 : 2) + (protocol === tcp.PROTOCOL ? 1 : 0);
    // The array has four entries.
    return this.#pauses[index] as Pause;
  }
}

function end(pause: Pause): void {
  pause.refusals = 0;
  pause.endsMs = 0;
}
