/** One direction of one call: what is sent, and what the other side makes of what it gets. */

import { now } from '../../io/clock.ts';
import { G711, mos } from '../../ops/mos.ts';
import { RtpStats } from '../../ops/rtp-stats.ts';
import { u16, u32 } from '../../wire/bytes.ts';
import {
  CLOCK_RATE,
  MediaCheck,
  PACKET_MS,
  RTP_LEN,
  SR_LEN,
  type StreamPlan,
  writeRtp,
  writeSr,
} from './media.ts';

const PACKETS_PER_REPORT = 50;
/** Packets whose time of sending is remembered: 20 s. A power of two. */
const SENT_WINDOW = 1_024;

export type SendOctets = (payload: Uint8Array) => void;

export class MediaStream {
  sent = 0;
  reportsSent = 0;
  reportsReceived = 0;
  /** Packets and reports that arrived with other octets than were sent. */
  corrupted = 0;
  readonly stats = new RtpStats(CLOCK_RATE);
  #isOver = false;
  #plan: StreamPlan;
  #check: MediaCheck;
  readonly #rtp = new Uint8Array(RTP_LEN);
  readonly #sr = new Uint8Array(SR_LEN);
  readonly #sentAtMs = new Float64Array(SENT_WINDOW);

  constructor(plan: StreamPlan) {
    this.#plan = plan;
    this.#check = new MediaCheck(plan);
  }

  /** To be called once, before the first packet. */
  begin(startMs: number): void {
    this.#plan = { ...this.#plan, startMs };
    this.#check = new MediaCheck(this.#plan);
  }

  /** Sends packet `n`, and each second a report. The functions must copy. */
  send(n: number, rtp: SendOctets, rtcp: SendOctets): void {
    if (n % PACKETS_PER_REPORT === 0) {
      writeSr(this.#sr, this.#plan, n);
      this.reportsSent += 1;
      rtcp(this.#sr);
    }
    writeRtp(this.#rtp, this.#plan, n);
    this.sent += 1;
    this.#sentAtMs[n % SENT_WINDOW] = now();
    rtp(this.#rtp);
  }

  receiveRtp(payload: Uint8Array): void {
    const atMs = now();
    const n = this.#check.rtp(payload, this.stats.received);
    if (n < 0) {
      this.corrupted += 1;
      return;
    }
    const delayMs = atMs - (this.#sentAtMs[n % SENT_WINDOW] ?? atMs);
    // As if it had been sent when it was due: jitter is to be the tunnel's, not that of this program.
    const dueMs = this.#plan.startMs + n * PACKET_MS;
    const arrival = this.stats.packet(u16(payload, 2), u32(payload, 4), dueMs + delayMs);
    if (arrival !== 'duplicate') this.stats.delay.record(delayMs);
  }

  receiveRtcp(payload: Uint8Array): void {
    if (this.#check.sr(payload)) this.reportsReceived += 1;
    else this.corrupted += 1;
  }

  /** Nothing more is sent and nothing is on its way. */
  end(): void {
    this.#isOver = true;
  }

  /** Everything sent has arrived. */
  get complete(): boolean {
    return this.stats.received === this.sent && this.reportsReceived === this.reportsSent;
  }

  /**
   * While media flow, what the receiver misses; at the end, what was sent and has not arrived. The
   * difference is what is still on its way.
   */
  get lost(): number {
    return this.#isOver ? this.sent - this.stats.received : this.stats.lost;
  }

  /**
   * What a listener would say. From mouth to ear there is one packet's time before sending, and a
   * playout buffer deep enough for all but one packet in a hundred.
   */
  get mos(): number {
    const delayMs = PACKET_MS + this.stats.delay.quantileMs(0.99);
    return mos(G711, delayMs, this.sent === 0 ? 0 : this.lost / this.sent);
  }
}
