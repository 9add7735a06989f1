/**
 * The clock rate of RTP timestamps, which the packets do not tell: that of a static payload type is known
 * (RFC 3551 6), that of a dynamic one is the usual rate that fits what a second of packets shows.
 */
const RATES = [8_000, 16_000, 32_000, 48_000, 90_000] as const;
const VIDEO_RATE = 90_000;
const WATCH_MS = 1_000;
const MS_PER_S = 1_000;

const STATIC_RATES: Readonly<Record<number, number>> = {
  ...{
    0: 8_000,
    3: 8_000,
    4: 8_000,
    5: 8_000,
    6: 16_000,
    7: 8_000,
    8: 8_000,
    9: 8_000,
    10: 44_100,
  },
  ...{ 11: 44_100, 12: 8_000, 13: 8_000, 14: VIDEO_RATE, 15: 8_000, 16: 11_025, 17: 22_050 },
  ...{ 18: 8_000, 25: VIDEO_RATE, 26: VIDEO_RATE, 28: VIDEO_RATE, 31: VIDEO_RATE },
  ...{ 32: VIDEO_RATE, 33: VIDEO_RATE, 34: VIDEO_RATE },
};
/** MPEG audio has the clock of video. */
const MPEG_AUDIO = 14;

export class ClockRate {
  /** Per second; 0 while it is not known. */
  rate = 0;
  #sinceMs = 0;
  #sinceTicks = -1;

  /** True: it is known from now on. */
  packet(payloadType: number, timestamp: number, arrivalMs: number): boolean {
    const known = STATIC_RATES[payloadType];
    if (known !== undefined) {
      this.rate = known;
      return true;
    }
    if (this.#sinceTicks < 0) {
      this.#sinceTicks = timestamp;
      this.#sinceMs = arrivalMs;
    }
    const ms = arrivalMs - this.#sinceMs;
    if (ms < WATCH_MS) return false;
    this.rate = nearest((MS_PER_S * ((timestamp - this.#sinceTicks) >>> 0)) / ms);
    return true;
  }

  /** As far as the clock tells. */
  isVideo(payloadType: number): boolean {
    return this.rate === VIDEO_RATE && payloadType !== MPEG_AUDIO;
  }
}

/** By ratio: packets that are late make any rate look lower by a part of it. */
function nearest(rate: number): number {
  let best: number = RATES[0];
  const distance = (other: number) => Math.abs(Math.log(other / Math.max(1, rate)));
  for (const other of RATES) if (distance(other) < distance(best)) best = other;
  return best;
}
