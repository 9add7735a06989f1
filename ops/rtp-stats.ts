/**
 * What the receiver of one RTP stream knows: sequence numbers by RFC 3550 appendix A.1, loss by A.3,
 * jitter by A.8, and duplicates, which A.1 leaves to the application. No allocation per packet.
 */
import { Histogram } from './histogram.ts';

/** RFC 3550 A.1: a larger step forward is a restart of the sender, not loss. */
const MAX_DROPOUT = 3_000;
/** RFC 3550 A.1: a packet may be this late. */
const MAX_MISORDER = 100;
const SEQ_MOD = 1 << 16;
/** Sequence numbers remembered, above `MAX_MISORDER`; a power of two. */
const WINDOW = 256;

export type Arrival = 'in-order' | 'late' | 'duplicate' | 'restart' | 'discarded';

export class RtpStats {
  /** Packets that arrived, each counted once. */
  received = 0;
  duplicates = 0;
  /** Packets that came after one with a higher sequence number. */
  reordered = 0;
  /** Packets too far from the sequence to belong to it (A.1 `bad_seq`). */
  discarded = 0;
  /** One-way delay, where the caller knows when the packet left. */
  readonly delay = new Histogram();
  /** How often packets were missing between two that came one after the other. */
  gaps = 0;
  #ticksPerMs: number;
  #started = false;
  /** The next packet has none before it to compare with. */
  #isFirst = true;
  /** Highest sequence number seen, extended by its wraps, and the first of this run. */
  #highest = 0;
  #base = 0;
  /** Packets that earlier runs of the sender should have brought (before a restart). */
  #expectedBefore = 0;
  /** A.1: the next number that, after a large step, makes a restart certain; −1 for none. */
  #badSeq = -1;
  /** Extended number that each slot last held; tells duplicates. */
  readonly #seen = new Float64Array(WINDOW).fill(-1);
  #jitter = 0;
  #lastTimestamp = 0;
  #lastArrivalMs = 0;

  /** Without a clock rate there is no jitter until one is set. */
  constructor(clockRate?: number) {
    this.#ticksPerMs = 0;
    if (clockRate !== undefined) this.setClock(clockRate);
  }

  setClock(clockRate: number): void {
    if (!(clockRate > 0)) throw new RangeError('clock rate must be positive');
    this.#ticksPerMs = clockRate / 1_000;
  }

  /** Another source follows (another SSRC): its numbers have nothing to do with those before. */
  restart(): void {
    this.#expectedBefore = this.expected;
    this.#started = false;
    this.#isFirst = true;
  }

  /** One packet: its sequence number and timestamp as in the header, and when it came. */
  packet(seq: number, timestamp: number, arrivalMs: number): Arrival {
    const arrival = this.#sequence(seq);
    if (arrival === 'duplicate') this.duplicates += 1;
    else if (arrival === 'discarded') this.discarded += 1;
    else this.#arrived(arrival, timestamp, arrivalMs);
    return arrival;
  }

  /** Packets that should have come from the first to the highest sequence number seen (A.3). */
  get expected(): number {
    return this.#started
      ? this.#expectedBefore + this.#highest - this.#base + 1
      : this.#expectedBefore;
  }

  get lost(): number {
    return Math.max(0, this.expected - this.received);
  }

  /** Interarrival jitter (A.8), ms. */
  get jitterMs(): number {
    return this.#ticksPerMs === 0 ? 0 : this.#jitter / this.#ticksPerMs;
  }

  #sequence(seq: number): Arrival {
    if (!this.#started) return this.#start(seq);
    const step = (seq - this.#highest) & (SEQ_MOD - 1);
    if (step === 0) return 'duplicate';
    if (step < MAX_DROPOUT) {
      this.#badSeq = -1;
      if (step > 1) this.gaps += 1;
      this.#highest += step;
      this.#mark(this.#highest);
      return 'in-order';
    }
    if (step <= SEQ_MOD - MAX_MISORDER) return this.#farAway(seq);
    return this.#late(this.#highest + step - SEQ_MOD);
  }

  #start(seq: number): Arrival {
    this.#started = true;
    this.#badSeq = -1;
    // One turn above zero, so that packets before the first have positive numbers too.
    this.#base = this.#highest = seq + SEQ_MOD;
    this.#seen.fill(-1);
    this.#mark(this.#highest);
    return 'in-order';
  }

  /** A.1: two packets in sequence at the new place mean that the sender began anew. */
  #farAway(seq: number): Arrival {
    if (seq !== this.#badSeq) {
      this.#badSeq = (seq + 1) & (SEQ_MOD - 1);
      return 'discarded';
    }
    this.#expectedBefore = this.expected;
    this.#start(seq);
    return 'restart';
  }

  #late(extended: number): Arrival {
    if (this.#seen[extended & (WINDOW - 1)] === extended) return 'duplicate';
    this.#mark(extended);
    // Older than the first that came: the run began earlier than it seemed.
    if (extended < this.#base) this.#base = extended;
    return 'late';
  }

  #mark(extended: number): void {
    this.#seen[extended & (WINDOW - 1)] = extended;
  }

  #arrived(arrival: Arrival, timestamp: number, arrivalMs: number): void {
    this.received += 1;
    if (arrival === 'late') this.reordered += 1;
    if (!this.#isFirst && arrival !== 'restart' && this.#ticksPerMs > 0) {
      // 32-bit difference: right across the wrap of the timestamp.
      const sent = (timestamp - this.#lastTimestamp) | 0;
      const difference = (arrivalMs - this.#lastArrivalMs) * this.#ticksPerMs - sent;
      this.#jitter += (Math.abs(difference) - this.#jitter) / 16;
    }
    this.#isFirst = false;
    this.#lastTimestamp = timestamp;
    this.#lastArrivalMs = arrivalMs;
  }
}
