/**
 * A TCP connection as its two ends see it: octets in order, in pieces of any size, late, at a limited
 * rate, with back-pressure; and then cut at any octet, silent, or ended by one end.
 */
import type { FakeClock } from './clock.ts';
import type { SeededRandom } from './random.ts';

export interface LinkOptions {
  /** One way. Default 20. */
  readonly delayMs?: number;
  /** Up to so much more, different for each piece; the order stays. Default 0. */
  readonly jitterMs?: number;
  /** Default unlimited. */
  readonly octetsPerMs?: number;
  /** Pieces are of 1 to so many octets. Default 1460. */
  readonly maxPiece?: number;
  /** Octets that the writer may be ahead of the reader. Default 65,536. */
  readonly windowOctets?: number;
}

/** What one end of a connection is told. */
export interface LinkEnd {
  /** The octets are the receiver's to keep or change. */
  received(octets: Uint8Array): void;
  /** A `write` that did not take all may be tried again. */
  writable(): void;
  /** There is no connection any more. */
  gone(): void;
}

export interface Cut {
  /** When each end notices, after the cut. Default 0: at once. */
  readonly clientAfterMs?: number;
  readonly serverAfterMs?: number;
}

export class Link {
  /** From the client to the server. */
  readonly up: Direction;
  /** From the server to the client. */
  readonly down: Direction;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock, random: SeededRandom, options: LinkOptions, ends: LinkEnds) {
    this.#clock = clock;
    this.up = new Direction(clock, random, options, ends.client, ends.server);
    this.down = new Direction(clock, random, options, ends.server, ends.client);
  }

  /** Breaks: what is under way is lost. */
  cut({ clientAfterMs = 0, serverAfterMs = 0 }: Cut = {}): void {
    this.up.drop();
    this.down.drop();
    this.#clock.after(clientAfterMs, () => this.down.tellGone());
    this.#clock.after(serverAfterMs, () => this.up.tellGone());
  }

  /** Cuts as soon as so many octets of this direction have arrived since the connection was made. */
  cutAfter(direction: Direction, octets: number, cut: Cut = {}): void {
    direction.stopAt(octets, () => this.cut(cut));
  }

  /** Neither direction lets anything through until `release`; nobody is told. */
  hold(): void {
    this.up.hold();
    this.down.hold();
  }

  release(): void {
    this.up.release();
    this.down.release();
  }

  /**
   * One end has written its last and goes on reading: the other end gets all of it, and ends in turn; what
   * it had written until then still arrives.
   */
  endedBy(end: 'client' | 'server'): void {
    const out = end === 'client' ? this.up : this.down;
    const back = end === 'client' ? this.down : this.up;
    out.finish(() => back.finish());
  }

  /** One end closes its socket: what it has written still arrives, then the other end is told. */
  closedBy(end: 'client' | 'server'): void {
    const out = end === 'client' ? this.up : this.down;
    const back = end === 'client' ? this.down : this.up;
    out.finish();
    back.drop();
    back.tellGone();
  }
}

export interface LinkEnds {
  readonly client: LinkEnd;
  readonly server: LinkEnd;
}

export class Direction {
  /** Octets since the connection was made. */
  written = 0;
  arrived = 0;
  readonly #clock: FakeClock;
  readonly #random: SeededRandom;
  readonly #options: Required<LinkOptions>;
  readonly #writer: LinkEnd;
  readonly #reader: LinkEnd;
  #freeAtMs = 0;
  #lastArrivalMs = 0;
  #isBlocked = false;
  #isDropped = false;
  #isHeld = false;
  #isToldGone = false;
  #held: (() => void)[] = [];
  #stopOctets = Number.POSITIVE_INFINITY;
  #stop: () => void = () => {};

  constructor(
    clock: FakeClock,
    random: SeededRandom,
    options: LinkOptions,
    writer: LinkEnd,
    reader: LinkEnd,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#options = {
      delayMs: options.delayMs ?? 20,
      jitterMs: options.jitterMs ?? 0,
      octetsPerMs: options.octetsPerMs ?? Number.POSITIVE_INFINITY,
      maxPiece: options.maxPiece ?? 1460,
      windowOctets: options.windowOctets ?? 65_536,
    };
    this.#writer = writer;
    this.#reader = reader;
  }

  /** How many of the octets were taken; less than all: wait for `writable`. */
  write(octets: Uint8Array): number {
    if (this.#isDropped) return octets.length;
    const room = this.#options.windowOctets - (this.written - this.arrived);
    const taken = Math.min(room, octets.length);
    for (let at = 0; at < taken; ) {
      const length = Math.min(taken - at, 1 + this.#random.below(this.#options.maxPiece));
      this.#send(octets.slice(at, at + length));
      at += length;
    }
    this.written += taken;
    this.#isBlocked = taken < octets.length;
    return taken;
  }

  stopAt(octets: number, action: () => void): void {
    this.#stopOctets = octets;
    this.#stop = action;
    if (this.arrived >= octets) action();
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    const held = this.#held;
    this.#held = [];
    for (const action of held) action();
  }

  /** Nothing arrives from now on. */
  drop(): void {
    this.#isDropped = true;
  }

  /** After all that was written the reader is told that the connection is gone. */
  finish(then = () => {}): void {
    if (this.#isDropped) return;
    this.#arrive(0, () => {
      this.drop();
      this.tellGone();
      then();
    });
  }

  /** The reader of this direction is told. */
  tellGone(): void {
    if (this.#isToldGone) return;
    this.#isToldGone = true;
    this.#reader.gone();
  }

  #send(piece: Uint8Array): void {
    this.#arrive(piece.length / this.#options.octetsPerMs, () => {
      const octets = piece.subarray(0, this.#stopOctets - this.arrived);
      this.arrived += octets.length;
      if (octets.length > 0) this.#reader.received(octets);
      if (this.arrived >= this.#stopOctets) this.#stop();
      else if (this.#isBlocked && !this.#isDropped) this.#writer.writable();
    });
  }

  #arrive(lineMs: number, action: () => void): void {
    const { delayMs, jitterMs } = this.#options;
    this.#freeAtMs = Math.max(this.#freeAtMs, this.#clock.now) + lineMs;
    const arrival = this.#freeAtMs + delayMs + (jitterMs > 0 ? this.#random.below(jitterMs) : 0);
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrival);
    const unlessDropped = () => {
      if (this.#isDropped) return;
      if (this.#isHeld) this.#held.push(unlessDropped);
      else action();
    };
    this.#clock.at(this.#lastArrivalMs, unlessDropped);
  }
}
