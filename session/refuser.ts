/**
 * Answers packets that get no tunnel (wire/refuse.ts), so that the application learns it at once and
 * not after its own time limits. At a limited rate, as RFC 4443 2.4 (f) demands: a token bucket.
 */
import type { PacketView } from '../wire/packet.ts';
import { MAX_REFUSAL_LEN, writeRefusal } from '../wire/refuse.ts';
import type { PacketSink } from './outputs.ts';

/** A call has four flows; each learns it at once, and again while it goes on. */
const BURST = 20;
const PER_SECOND = 20;

/** Such an answer belongs to no binding. */
const NO_BINDING = -1;

export class Refuser {
  isOn = false;
  readonly #sink: PacketSink;
  readonly #out = new Uint8Array(MAX_REFUSAL_LEN);
  #tokens = BURST;
  #filledMs = 0;

  constructor(sink: PacketSink) {
    this.#sink = sink;
  }

  /** `b` holds the packet as the application made it. */
  answer(b: Uint8Array, view: PacketView, now: number): void {
    if (!this.isOn) return;
    this.#fill(now);
    if (this.#tokens < 1) return;
    const length = writeRefusal(this.#out, 0, b, view);
    if (length === 0) return;
    this.#tokens -= 1;
    this.#sink.packet(this.#out, 0, length, NO_BINDING, now);
  }

  #fill(now: number): void {
    const gained = ((now - this.#filledMs) / 1000) * PER_SECOND;
    this.#tokens = Math.min(BURST, this.#tokens + gained);
    this.#filledMs = now;
  }
}
