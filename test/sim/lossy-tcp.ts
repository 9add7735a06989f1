/**
 * One direction of a TCP connection over a path that loses segments, as far as it decides how late a
 * packet comes: in-order delivery, what the system accepts before it says "full", loss noticed by what
 * arrives behind it (RFC 8985), a tail loss probe, and the timer with its doubling (RFC 6298). No
 * congestion control: the window is large enough for media.
 */
import type { FakeClock } from './clock.ts';

export interface LossyPath {
  readonly delayMs: number;
  /** Asked once for each segment that is sent, repeated ones included. */
  isLost(): boolean;
}

interface Segment {
  readonly octets: Uint8Array;
  readonly at: number;
  sentMs: number;
  times: number;
  arrived: boolean;
  acknowledged: boolean;
}

const MAX_SEGMENT = 1_400;
/** Octets that may wait unsent (TCP_NOTSENT_LOWAT), and segments that may be under way. */
const LOW_WATER = 4_096;
const WINDOW = 32;
const RTO_MIN_MS = 200;
const DUPLICATES = 3;

export class LossyTcp {
  readonly #clock: FakeClock;
  readonly #path: LossyPath;
  readonly #received: (octets: Uint8Array) => void;
  readonly #writable: () => void;
  #unsent: Uint8Array[] = [];
  #flight: Segment[] = [];
  #next = 0;
  #backoff = 0;
  #probed = false;
  #timer = 0;
  #isFull = false;

  constructor(
    clock: FakeClock,
    path: LossyPath,
    ends: { received(octets: Uint8Array): void; writable(): void },
  ) {
    this.#clock = clock;
    this.#path = path;
    this.#received = (octets) => ends.received(octets);
    this.#writable = () => ends.writable();
  }

  /** Not acknowledged, unsent ones included. */
  get outstanding(): number {
    const waiting = this.#unsent.reduce((sum, { length }) => sum + length, 0);
    return this.#flight.reduce((sum, s) => sum + (s.acknowledged ? 0 : s.octets.length), waiting);
  }

  /** A segment had to be repeated and is not acknowledged yet. */
  get isTroubled(): boolean {
    return this.#flight.some((s) => s.times > 1 && !s.acknowledged);
  }

  /** How many octets were taken; less than all: wait for `writable`. */
  write(octets: Uint8Array): number {
    let taken = 0;
    while (taken < octets.length && !this.#isAboveLowWater) {
      const piece = octets.slice(taken, taken + MAX_SEGMENT);
      this.#unsent.push(piece);
      taken += piece.length;
      this.#sendNew();
    }
    this.#isFull = taken < octets.length;
    return taken;
  }

  get #isAboveLowWater(): boolean {
    return this.#unsent.reduce((sum, { length }) => sum + length, 0) >= LOW_WATER;
  }

  get #rttMs(): number {
    return 2 * this.#path.delayMs;
  }

  #sendNew(): void {
    while (this.#flight.length < WINDOW) {
      const octets = this.#nextOctets();
      if (octets === undefined) return;
      const { now } = this.#clock;
      const segment = {
        ...{ octets, at: this.#next++, sentMs: now, times: 0 },
        ...{ arrived: false, acknowledged: false },
      };
      this.#flight.push(segment);
      this.#send(segment);
    }
  }

  /** What waits unsent goes in full segments. */
  #nextOctets(): Uint8Array | undefined {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      if (length + first.length > MAX_SEGMENT) break;
      pieces.push(first);
      length += first.length;
      this.#unsent.shift();
    }
    return pieces.length === 0 ? undefined : Buffer.concat(pieces);
  }

  #send(segment: Segment): void {
    segment.sentMs = this.#clock.now;
    segment.times += 1;
    this.#startTimer();
    if (this.#path.isLost()) return;
    const { sentMs } = segment;
    this.#clock.after(this.#path.delayMs, () => {
      this.#arrive(segment);
      this.#clock.after(this.#path.delayMs, () => this.#acknowledged(segment, sentMs));
    });
  }

  /** At the receiver: what is in order is delivered. */
  #arrive(segment: Segment): void {
    if (segment.arrived) return;
    segment.arrived = true;
    this.#deliver();
  }

  #delivered = 0;
  readonly #early = new Map<number, Uint8Array>();

  #deliver(): void {
    for (const s of this.#flight) if (s.arrived) this.#early.set(s.at, s.octets);
    for (let o = this.#early.get(this.#delivered); o; o = this.#early.get(this.#delivered)) {
      this.#early.delete(this.#delivered);
      this.#delivered += 1;
      this.#received(o);
    }
    for (const at of [...this.#early.keys()]) if (at < this.#delivered) this.#early.delete(at);
  }

  #acknowledged(segment: Segment, sentMs: number): void {
    if (segment.acknowledged) return;
    segment.acknowledged = true;
    this.#backoff = 0;
    this.#probed = false;
    for (const other of this.#flight) {
      if (!other.acknowledged && this.#isOvertaken(other, sentMs)) this.#send(other);
    }
    while (this.#flight[0]?.acknowledged === true) this.#flight.shift();
    this.#startTimer();
    this.#sendNew();
    if (this.#isFull && !this.#isAboveLowWater) this.#writable();
  }

  /** Something sent so much later has arrived, or several things sent later have. */
  #isOvertaken(segment: Segment, sentMs: number): boolean {
    if (sentMs <= segment.sentMs) return false;
    if (sentMs - segment.sentMs > this.#rttMs / 4) return true;
    const later = this.#flight.filter((s) => s.acknowledged && s.sentMs > segment.sentMs);
    return later.length >= DUPLICATES;
  }

  #startTimer(): void {
    const timer = ++this.#timer;
    if (this.#flight.every((s) => s.acknowledged)) return;
    const rtoMs = (this.#rttMs + RTO_MIN_MS) * 2 ** this.#backoff;
    const probeMs = 2 * this.#rttMs;
    const isProbe = !this.#probed && this.#backoff === 0 && !this.isTroubled;
    this.#clock.after(isProbe ? Math.min(probeMs, rtoMs) : rtoMs, () => {
      if (timer === this.#timer) this.#timeout(isProbe);
    });
  }

  #timeout(isProbe: boolean): void {
    const open = this.#flight.filter((s) => !s.acknowledged);
    const segment = isProbe ? open.at(-1) : open[0];
    if (segment === undefined) return;
    if (isProbe) this.#probed = true;
    else this.#backoff += 1;
    this.#send(segment);
  }
}
