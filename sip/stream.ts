/**
 * Cuts a TCP or TLS stream into SIP messages and keep-alives (RFC 3261 clause 18.3, RFC 5626 clause
 * 4.4.1):
 *
 *     stream.append(chunk, from, to);
 *     for (let event = stream.next(); event !== undefined; event = stream.next()) use(event);
 *     if (stream.fault !== 0) close();
 *
 * *Need more* is `undefined`, *bad* is `fault`, after which nothing comes any more: a stream that broke
 * its framing is not resynchronised. Every length is compared with its limit before it is waited for.
 * Memory: what has arrived of one message, at most twice MAX_MESSAGE_LEN, and one chunk.
 */
import { Buffer } from 'node:buffer';
import { u8 } from '../wire/bytes.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';
import {
  assemble,
  contentLength,
  type Head,
  MAX_MESSAGE_LEN,
  type Message,
  readHead,
  readStartLine,
} from './message.ts';

/** What the peer sends between messages: the end that keeps the flow alive pings, the other pongs. */
export type Beats = 'pings' | 'pongs';

export type StreamEvent =
  | { readonly type: 'message'; readonly message: Message }
  /** CRLF CRLF: to be answered at once with PONG. */
  | { readonly type: 'ping' }
  /** CRLF, the answer to a ping. */
  | { readonly type: 'pong' };

export const PING: Uint8Array = Buffer.from('\r\n\r\n', 'latin1');
export const PONG: Uint8Array = Buffer.from('\r\n', 'latin1');

/** Room for ordinary messages; a buffer that had to grow above it is given back. */
const KEEP_LEN = 4096;
/** No method is longer: what has no space in so many octets is no SIP. */
const MAX_FIRST_WORD_LEN = 64;
const MAX_START_LINE_LEN = 8_192;
const CRLF_LEN = 2;
/** CRLF CRLF. */
const HEAD_END_LEN = 4;
const FIRST_WORD = /^[\w.!%*+`'~/-]*$/;
const CR = 0x0d;
const LF = 0x0a;

export class SipStream {
  /** Why the stream is lost; 0 as long as it is not. */
  fault: 0 | Fault = 0;

  readonly #beats: Beats;
  #octets = Buffer.alloc(0);
  /** Octets not yet looked at are [from, to). */
  #from = 0;
  #to = 0;
  /** Before this, counted from `from`, the end of the head has been looked for. */
  #searched = 0;
  /** Head and size of the message that begins at `from`, once its head is whole. */
  #head: Head | undefined;
  #size = 0;
  /** Whether its start line has been seen to be SIP. */
  #isSip = false;

  constructor(beats: Beats) {
    this.#beats = beats;
  }

  /** Octets of an unfinished message that are being kept. */
  get held(): number {
    return this.#to - this.#from;
  }

  /** Octets of memory that this stream owns. */
  get capacity(): number {
    return this.#octets.length;
  }

  /** Copies the octets [from, to) of `b`. `next` must have answered undefined before. */
  append(b: Uint8Array, from: number, to: number): void {
    if (from < 0 || from > to || to > b.length) throw new RangeError('octets outside their buffer');
    if (this.held > MAX_MESSAGE_LEN) throw new RangeError('append before next() was undefined');
    if (this.fault !== 0) return;
    this.#reserve(to - from);
    this.#octets.set(b.subarray(from, to), this.#to);
    this.#to += to - from;
  }

  next(): StreamEvent | undefined {
    if (this.fault !== 0) return undefined;
    return this.#head === undefined ? this.#nextStart() : this.#nextBody(this.#head);
  }

  /** Line ends before a message, then the message's head. */
  #nextStart(): StreamEvent | undefined {
    const beat = this.#skipLineEnds();
    if (beat !== undefined) return beat;
    if (this.held === 0) return this.#rest();
    if (u8(this.#octets, this.#from) === CR) return this.#lineEndAwaited();
    if (!this.#isSip && !this.#startsLikeSip()) return undefined;
    const end = this.#endOfHead();
    return end === 0 ? undefined : this.#readHead(end);
  }

  /** A ping is two line ends together; what else stands between messages means nothing (clause 7.5). */
  #skipLineEnds(): StreamEvent | undefined {
    for (; this.#isCrlf(0); this.#take(2)) {
      if (this.#beats === 'pongs') return this.#takeBeat(2, 'pong');
      if (this.#isCrlf(2)) return this.#takeBeat(4, 'ping');
      if (this.held < 4 && !this.#isMessageAt(2)) return undefined;
    }
    return undefined;
  }

  #isCrlf(at: number): boolean {
    const i = this.#from + at;
    return i + 1 < this.#to && u8(this.#octets, i) === CR && u8(this.#octets, i + 1) === LF;
  }

  #isMessageAt(at: number): boolean {
    return this.held > at && u8(this.#octets, this.#from + at) !== CR;
  }

  #takeBeat(length: number, type: 'ping' | 'pong'): StreamEvent {
    this.#take(length);
    return { type };
  }

  /** A CR, or a whole line end that may be the first half of a ping. */
  #lineEndAwaited(): undefined {
    return this.held > 1 && !this.#isCrlf(0) ? this.#lose(FAULTS.SIP_LINE_END) : undefined;
  }

  /** False: need more, or the stream is lost. */
  #startsLikeSip(): boolean {
    const most = MAX_START_LINE_LEN + CRLF_LEN;
    const text = this.#octets.toString('latin1', this.#from, Math.min(this.#to, this.#from + most));
    const lineEnd = text.indexOf('\r\n');
    const [word = ''] = text.split(' ', 1);
    const wordLegal = word !== '' && word.length <= MAX_FIRST_WORD_LEN && FIRST_WORD.test(word);
    this.#isSip = wordLegal && lineEnd >= 0 && readStartLine(text.slice(0, lineEnd)) !== undefined;
    if (!wordLegal || (lineEnd >= 0 && !this.#isSip)) this.#lose(FAULTS.FRAME_FOREIGN);
    else if (lineEnd < 0 && this.held >= most) this.#lose(FAULTS.SIP_TOO_LONG);
    return this.#isSip;
  }

  /** Place behind the empty line; 0: need more, or the stream is lost. */
  #endOfHead(): number {
    const b = this.#octets;
    for (let at = this.#from + this.#searched; at + 1 < this.#to; at++) {
      const isCr = u8(b, at) === CR;
      if (isCr !== (u8(b, at + 1) === LF)) return this.#lose(FAULTS.SIP_LINE_END) ?? 0;
      if (isCr && at + 3 < this.#to && u8(b, at + 2) === CR && u8(b, at + 3) === LF) return at + 4;
    }
    if (this.held >= MAX_MESSAGE_LEN) return this.#lose(FAULTS.SIP_TOO_LONG) ?? 0;
    this.#searched = Math.max(0, this.held - HEAD_END_LEN + 1);
    return 0;
  }

  #readHead(end: number): StreamEvent | undefined {
    const text = this.#octets.toString('latin1', this.#from, end);
    const head = readHead(text);
    if (typeof head === 'number') return this.#lose(head);
    const length = contentLength(text, head.fields);
    if (length === undefined || length < 0) return this.#lose(FAULTS.SIP_CONTENT_LENGTH);
    this.#size = head.bodyStart + length;
    if (this.#size > MAX_MESSAGE_LEN) return this.#lose(FAULTS.SIP_TOO_LONG);
    this.#head = head;
    return this.#nextBody(head);
  }

  #nextBody(head: Head): StreamEvent | undefined {
    if (this.held < this.#size) return undefined;
    const end = this.#from + this.#size;
    const text = this.#octets.toString('latin1', this.#from, end);
    const message = assemble(head, text, 0);
    this.#take(this.#size);
    this.#head = undefined;
    this.#isSip = false;
    this.#searched = 0;
    return { type: 'message', message };
  }

  #take(length: number): void {
    this.#from += length;
  }

  /** Doubles, so that a stream of single octets costs linear time. */
  #reserve(more: number): void {
    if (this.#to + more <= this.#octets.length) return;
    const needed = this.held + more;
    const room = needed > KEEP_LEN ? Math.max(needed, 2 * this.held) : KEEP_LEN;
    const grown = room <= this.#octets.length ? this.#octets : Buffer.alloc(room);
    this.#octets.copy(grown, 0, this.#from, this.#to);
    this.#octets = grown;
    this.#to -= this.#from;
    this.#from = 0;
  }

  #rest(): undefined {
    this.#from = 0;
    this.#to = 0;
    if (this.#octets.length > KEEP_LEN) this.#octets = Buffer.alloc(0);
  }

  #lose(fault: Fault): undefined {
    this.fault = fault;
    this.#head = undefined;
    this.#rest();
    this.#octets = Buffer.alloc(0);
  }
}
