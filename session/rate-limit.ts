/**
 * How fast one user may send or receive: packets and bits per second over all tunnels of the user
 * (G-22). Two token buckets that hold one second's worth, so that the burst of a video key frame
 * passes; a packet takes one token of the first and its octets of the second.
 *
 * Nothing is allocated per packet: the numbers live in a typed array, where a fraction has a place of
 * its own.
 */

export interface Rates {
  /** Infinity: no limit. */
  readonly packetsPerSecond: number;
  /** Of IP packets, headers included. Infinity: no limit. */
  readonly bitsPerSecond: number;
}

/** A bucket holds at least the longest packet: else it would never pass. */
const LEAST_BURST_OCTETS = 65_535;

const PACKETS = 0;
const OCTETS = 1;
const FILLED_AT = 2;

export class RateLimit {
  readonly #level = new Float64Array(3);
  #packetsPerMs = Number.POSITIVE_INFINITY;
  #octetsPerMs = Number.POSITIVE_INFINITY;
  #packetBurst = Number.POSITIVE_INFINITY;
  #octetBurst = Number.POSITIVE_INFINITY;
  #isLimited = false;

  constructor(rates: Rates) {
    this.#level.fill(Number.POSITIVE_INFINITY, PACKETS, FILLED_AT);
    this.limit(rates);
  }

  /** Other rates from now on; what was used stays used. */
  limit({ packetsPerSecond, bitsPerSecond }: Rates): void {
    if (!(packetsPerSecond >= 1)) throw new RangeError(`packetsPerSecond ${packetsPerSecond}`);
    if (!(bitsPerSecond >= 8)) throw new RangeError(`bitsPerSecond ${bitsPerSecond}`);
    const level = this.#level;
    this.#packetsPerMs = packetsPerSecond / 1000;
    this.#octetsPerMs = bitsPerSecond / 8000;
    this.#packetBurst = packetsPerSecond;
    this.#octetBurst = Math.max(LEAST_BURST_OCTETS, bitsPerSecond / 8);
    this.#isLimited = Number.isFinite(packetsPerSecond) || Number.isFinite(bitsPerSecond);
    level[PACKETS] = Math.min(this.#packetBurst, level[PACKETS] ?? 0);
    level[OCTETS] = Math.min(this.#octetBurst, level[OCTETS] ?? 0);
  }

  /** Whether a packet of so many octets may pass now; then it is counted. */
  take(octets: number, now: number): boolean {
    if (!this.#isLimited) return true;
    const level = this.#level;
    this.#fill(now);
    const packetsLeft = (level[PACKETS] ?? 0) - 1;
    const octetsLeft = (level[OCTETS] ?? 0) - octets;
    if (packetsLeft < 0 || octetsLeft < 0) return false;
    level[PACKETS] = packetsLeft;
    level[OCTETS] = octetsLeft;
    return true;
  }

  #fill(now: number): void {
    const level = this.#level;
    const since = now - (level[FILLED_AT] ?? 0);
    if (since <= 0) return;
    level[FILLED_AT] = now;
    level[PACKETS] = Math.min(
      this.#packetBurst,
      (level[PACKETS] ?? 0) + since * this.#packetsPerMs,
    );
    level[OCTETS] = Math.min(this.#octetBurst, (level[OCTETS] ?? 0) + since * this.#octetsPerMs);
  }
}
