/** What one end of a call has heard of one stream. */

export interface Heard {
  readonly ssrc: number;
  readonly packets: number;
  /** Numbers of the first and the last packet. */
  readonly first: number;
  readonly last: number;
  /** Between the first and the last. */
  readonly missing: number;
  readonly repeated: number;
  readonly outOfOrder: number;
  /** The longest silence between two packets, and how many packets went missing in it. */
  readonly gapMs: number;
  readonly gapPackets: number;
  /** Senders that were seen, `ADDRESS PORT`. */
  readonly from: readonly string[];
}

/** Listens to one stream. */
export class Listener {
  readonly #ssrc: number;
  readonly #seen = new Set<number>();
  readonly #from = new Set<string>();
  #packets = 0;
  #first = -1;
  #highest = -1;
  #outOfOrder = 0;
  #latestMs = 0;
  #gapMs = 0;
  #gapPackets = 0;

  constructor(ssrc: number) {
    this.#ssrc = ssrc;
  }

  packet(n: number, from: string, nowMs: number): void {
    this.#packets += 1;
    this.#from.add(from);
    if (this.#first < 0) this.#first = n;
    else this.#measureGap(n, nowMs);
    if (n < this.#highest && !this.#seen.has(n)) this.#outOfOrder += 1;
    this.#seen.add(n);
    this.#highest = Math.max(this.#highest, n);
    this.#latestMs = nowMs;
  }

  report(): Heard {
    const [first, last] = [this.#first, this.#highest];
    return {
      ssrc: this.#ssrc,
      packets: this.#packets,
      first,
      last,
      missing: last - first + 1 - this.#seen.size,
      repeated: this.#packets - this.#seen.size,
      outOfOrder: this.#outOfOrder,
      gapMs: Math.round(this.#gapMs),
      gapPackets: this.#gapPackets,
      from: [...this.#from],
    };
  }

  #measureGap(n: number, nowMs: number): void {
    const silence = nowMs - this.#latestMs;
    if (silence <= this.#gapMs) return;
    this.#gapMs = silence;
    this.#gapPackets = Math.max(0, n - this.#highest - 1);
  }
}
