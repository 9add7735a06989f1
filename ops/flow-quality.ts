/**
 * How one RTP stream comes out of the tunnel: loss, jitter, stalls, how late packets are, and what that
 * means for a listener (ops/mos.ts). No object per packet.
 *
 * Of several sources on one port (RFC 8843) the first is watched, and another one when it has fallen
 * silent. Memory: 5.5 KiB.
 */
import * as rtp from '../wire/rtp.ts';
import { ClockRate } from './clock-rate.ts';
import { burstRatio, type Codec, G711, G723, G729, mos } from './mos.ts';
import { PlayoutDelay } from './playout-delay.ts';
import { RtpStats } from './rtp-stats.ts';

/** Media that fail to come for so long are heard. */
const STALL_MS = 100;
const SILENT_MS = 2_000;
/** What a sender collects before it sends: of nearly all telephones. */
const PACKET_MS = 20;
/** What comes no more for so long has ended, or been put on hold, as far as anybody can tell. */
const ENDED_MS = 10_000;
const MS_PER_S = 1_000;
const SEQ_MASK = 0xffff;

/** By static payload type; audio of others is judged as if it were G.711. */
const CODECS: Readonly<Record<number, Codec>> = { 4: G723, 18: G729 };

/** As text and numbers for people. */
export interface QualityStatus {
  readonly received: number;
  readonly lost: number;
  readonly jitterMs: number;
  /**
   * Times without a packet for longer than 100 ms though there should have been one, the present one too; the
   * longest.
   */
  readonly stalls: number;
  readonly longestStallMs: number;
  /** How much later than the fastest packet: half of them, and all but one in a hundred. */
  readonly lateMs: { readonly p50: number; readonly p99: number };
  /** Of audio. */
  readonly mos?: number;
}

export class FlowQuality {
  readonly #stats = new RtpStats();
  readonly #clock = new ClockRate();
  readonly #playout = new PlayoutDelay();
  #source = -1;
  #payloadType = -1;
  #lastMs = 0;
  #lastTimestamp = 0;
  #lastSequence = 0;
  /** Time of the newest packet by the clock of its sender. */
  #mediaMs = 0;
  #stalls = 0;
  #longestStallMs = 0;
  /** For how long the sender was silent of its own accord. */
  #longestPauseMs = 0;

  /** The RTP packet whose header, which is whole, begins at `at`. */
  packet(b: Uint8Array, at: number, now: number): void {
    const source = rtp.ssrc(b, at);
    if (source !== this.#source && !this.#follow(source, now)) return;
    const timestamp = rtp.timestamp(b, at);
    const sequence = rtp.sequenceNumber(b, at);
    this.#payloadType = rtp.payloadType(b, at);
    if (this.#clock.rate === 0) this.#learnClock(timestamp, now);
    const arrival = this.#stats.packet(sequence, timestamp, now);
    if (arrival === 'duplicate' || arrival === 'discarded') return;
    const aheadMs = this.#toMs((timestamp - this.#lastTimestamp) | 0);
    if (arrival === 'in-order')
      this.#watchStall((sequence - this.#lastSequence) & SEQ_MASK, aheadMs, now);
    if (arrival === 'restart') this.#playout.restart();
    this.#mediaMs += aheadMs;
    if (this.#clock.rate > 0) this.#stats.delay.record(this.#playout.packet(this.#mediaMs, now));
    this.#lastMs = now;
    this.#lastTimestamp = timestamp;
    this.#lastSequence = sequence;
  }

  /**
   * `roundTripMs`: of the connection that it came by, where that is known. `now` while it may go on; its last
   * silence is no stall.
   */
  status(roundTripMs = 0, now = this.#lastMs): QualityStatus {
    const { received, lost, jitterMs, delay } = this.#stats;
    const stallMs = this.#presentStallMs(now);
    return {
      received,
      lost,
      jitterMs,
      stalls: this.#stalls + (stallMs > 0 ? 1 : 0),
      longestStallMs: Math.max(this.#longestStallMs, stallMs),
      lateMs: { p50: delay.quantileMs(0.5), p99: delay.quantileMs(0.99) },
      ...(this.#isAudio && { mos: this.#mos(PACKET_MS + roundTripMs / 2) }),
    };
  }

  get #isAudio(): boolean {
    return this.#clock.rate > 0 && !this.#clock.isVideo(this.#payloadType);
  }

  /**
   * With the playout buffer that is best for what came: what is later than it waits is as good as lost. From mouth
   * to ear there is that wait besides `delayMs`, which is the collecting and the way.
   */
  #mos(delayMs: number): number {
    const { delay, expected, lost, gaps } = this.#stats;
    const loss = expected === 0 ? 0 : lost / expected;
    const codec = CODECS[this.#payloadType] ?? G711;
    const burst = burstRatio(lost, gaps, loss);
    let best = delay.count === 0 ? mos(codec, delayMs, loss, burst) : 1;
    delay.eachTime((ms, inTime) => {
      const missing = 1 - (1 - loss) * inTime;
      best = Math.max(best, mos(codec, delayMs + ms, missing, burst));
    });
    return best;
  }

  #follow(source: number, now: number): boolean {
    if (this.#source >= 0) {
      if (now - this.#lastMs < SILENT_MS) return false;
      this.#stats.restart();
      this.#playout.restart();
    }
    this.#source = source;
    this.#lastMs = 0;
    return true;
  }

  #learnClock(timestamp: number, now: number): void {
    if (!this.#clock.packet(this.#payloadType, timestamp, now)) return;
    this.#stats.setClock(this.#clock.rate);
  }

  /** A pause that the sender made itself is none: its next packet is the next in number, and as much later. */
  #watchStall(step: number, aheadMs: number, now: number): void {
    const silentMs = now - this.#lastMs;
    if (this.#lastMs === 0 || this.#clock.rate === 0 || silentMs <= STALL_MS) return;
    if (step === 1 && aheadMs > silentMs - STALL_MS) {
      this.#longestPauseMs = Math.max(this.#longestPauseMs, aheadMs);
      return;
    }
    this.#stalls += 1;
    this.#longestStallMs = Math.max(this.#longestStallMs, silentMs);
  }

  /** 0: none. Of a sender that pauses, a silence no longer than its longest pause may be another one. */
  #presentStallMs(now: number): number {
    if (this.#lastMs === 0 || this.#clock.rate === 0) return 0;
    const silentMs = now - this.#lastMs;
    return silentMs > this.#longestPauseMs + STALL_MS && silentMs < ENDED_MS ? silentMs : 0;
  }

  #toMs(ticks: number): number {
    return this.#clock.rate === 0 ? 0 : (MS_PER_S * ticks) / this.#clock.rate;
  }
}
