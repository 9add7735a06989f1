/**
 * The one reassembly buffer: octets of a TCP stream in, whole records out, for every framing.
 *
 *     buffer.append(chunk, from, to);
 *     while (buffer.next()) use(buffer.bytes, buffer.start, buffer.end, buffer.channel);
 *     if (buffer.fault !== 0) close();
 *
 * A record that lies whole inside the chunk is handed out in the chunk: no copy, no allocation. Only
 * a record that crosses chunks is gathered in a buffer of our own. Every length is checked before a
 * further octet is kept for it.
 *
 * Memory: nothing before the first record that crosses chunks, then KEEP_LEN octets, more only while
 * a longer record arrives and never more than twice what has arrived of it nor than `maxFrame`.
 * After a fault nothing is kept and nothing is handed out any more: a stream that broke its framing
 * is not resynchronised.
 */
import { Buffer } from 'node:buffer';
import { copy } from '../wire/bytes.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import { CHANNELS, type Channel, type Framing } from './framing.ts';

/** Room for any record of an ordinary link; a buffer that had to grow above it is given back. */
const KEEP_LEN = 2048;

const NOTHING = new Uint8Array(0);

export class FrameBuffer {
  /** Holds the record at [start, end) that `next` found. Valid until the next `next` or `append`. */
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  channel: Channel = CHANNELS.CONTROL;
  /** Why the stream is lost; 0 as long as it is not. */
  fault: 0 | Fault = 0;
  /**
   * While true, a record of any other kind than CONTROL is a fault as soon as its kind shows
   * (tep-wire 2: only STUN before the tunnel is authenticated). May change between two records.
   */
  controlOnly = false;

  readonly #framing: Framing;
  /** The caller's octets not yet looked at: [at, to) of chunk. */
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  #to = 0;
  /** The first `held` octets of a record that crosses chunks; its whole size, 0 when unknown. */
  #own: Uint8Array = NOTHING;
  #held = 0;
  #size = 0;

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  /** Octets of an unfinished record that are being kept. */
  get held(): number {
    return this.#held;
  }

  /** Octets of memory that this buffer owns. */
  get capacity(): number {
    return this.#own.length;
  }

  /**
   * Takes the octets [from, to) of `b`. They stay the caller's, and must not change before `next`
   * has answered false, which must have happened before the next `append`.
   */
  append(b: Uint8Array, from: number, to: number): void {
    if (from < 0 || from > to || to > b.length) throw new RangeError('octets outside their buffer');
    if (this.fault !== 0) return;
    if (this.#at !== this.#to) throw new RangeError('append before next() answered false');
    this.#chunk = b;
    this.#at = from;
    this.#to = to;
  }

  /** A copy of the record that `next` found and of all behind it, for whoever goes on with the stream. */
  unused(): Uint8Array {
    const record = this.bytes.subarray(this.start, this.end);
    return Buffer.concat([record, this.#chunk.subarray(this.#at, this.#to)]);
  }

  /** Whether there is one more whole record. False: wait for more octets, or look at `fault`. */
  next(): boolean {
    if (this.#held !== 0) return this.#nextAcrossChunks();
    const at = this.#at;
    const to = this.#to;
    if (at === to) return this.#drained();
    const size = this.#framing.frameSize(this.#chunk, at, to);
    if (size < 0) return this.#lose(-size);
    if (!this.#legal(size, this.#chunk, at)) return false;
    if (size === 0) return this.#keepRest(0);
    if (size > to - at) return this.#keepRest(size);
    this.#at = at + size;
    return this.#found(this.#chunk, at, size);
  }

  #nextAcrossChunks(): boolean {
    if (this.#at === this.#to) return this.#drained();
    if (this.#size === 0 && !this.#sizeFound()) return false;
    this.#gather(this.#size - this.#held);
    if (this.#held < this.#size) return this.#drained();
    const size = this.#size;
    this.#held = 0;
    this.#size = 0;
    return this.#found(this.#own, 0, size);
  }

  /** Gathers the header of the held record until its size shows; gives back what it took too many. */
  #sizeFound(): boolean {
    this.#gather(this.#framing.maxHeader - this.#held);
    const size = this.#framing.frameSize(this.#own, 0, this.#held);
    if (size < 0) return this.#lose(-size);
    if (!this.#legal(size, this.#own, 0)) return false;
    if (size === 0) {
      if (this.#held >= this.#framing.maxHeader) return this.#lose(FAULTS.FRAME_BACKLOG);
      return this.#drained();
    }
    this.#size = size;
    if (this.#held > size) {
      this.#at -= this.#held - size;
      this.#held = size;
    }
    return true;
  }

  /** Moves at most `wanted` octets from the chunk behind those held. */
  #gather(wanted: number): void {
    const n = Math.min(wanted, this.#to - this.#at);
    if (n <= 0) return;
    this.#reserve(this.#held + n);
    copy(this.#chunk, this.#at, this.#own, this.#held, n);
    this.#held += n;
    this.#at += n;
  }

  /** Doubles, so that a stream of single octets costs linear time, but not above what can come. */
  #reserve(needed: number): void {
    if (needed <= this.#own.length) return;
    const most = this.#framing.maxFrame;
    const length = Math.max(needed, Math.min(most, Math.max(KEEP_LEN, this.#own.length * 2)));
    const grown = new Uint8Array(length);
    copy(this.#own, 0, grown, 0, this.#held);
    this.#own = grown;
  }

  /** Keeps the end of the chunk: the start of a record of `size` octets (0: unknown). */
  #keepRest(size: number): false {
    if (size === 0 && this.#to - this.#at >= this.#framing.maxHeader) {
      return this.#lose(FAULTS.FRAME_BACKLOG);
    }
    this.#size = size;
    this.#gather(this.#to - this.#at);
    return this.#drained();
  }

  /** A record of a kind that may not come now is refused before its size shows. */
  #legal(size: number, b: Uint8Array, at: number): boolean {
    if (size > this.#framing.maxFrame) return this.#lose(FAULTS.FRAME_TOO_LONG);
    if (this.controlOnly && this.#framing.channel(b, at) !== CHANNELS.CONTROL) {
      return this.#lose(FAULTS.FRAME_TYPE);
    }
    return true;
  }

  #found(b: Uint8Array, at: number, size: number): true {
    this.bytes = b;
    this.start = at;
    this.end = at + size;
    this.channel = this.#framing.channel(b, at);
    return true;
  }

  /** Lets go of the caller's chunk, and of an own buffer that only a long record needed. */
  #drained(): false {
    this.bytes = NOTHING;
    this.start = 0;
    this.end = 0;
    this.#chunk = NOTHING;
    this.#at = 0;
    this.#to = 0;
    if (this.#held === 0 && this.#own.length > KEEP_LEN) this.#own = NOTHING;
    return false;
  }

  #lose(fault: number): false {
    this.fault = fault as Fault;
    this.#held = 0;
    this.#size = 0;
    this.#own = NOTHING;
    return this.#drained();
  }
}
