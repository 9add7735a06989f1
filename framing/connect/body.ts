/**
 * The content of an answer that opened no tunnel: read to its end and forgotten, so that the next
 * request can use the connection (RFC 9112 clauses 6 and 7).
 */
import { Buffer } from 'node:buffer';
import { u8 } from '../../wire/bytes.ts';

/** `length` in octets · `chunked` · `close`: it ends with the connection. */
export type BodyKind = number | 'chunked' | 'close';

/** Longest chunk size line, or line of a trailer, in octets. */
const MAX_LINE_LEN = 1024;
const LF = 0x0a;
const CHUNK_SIZE = /^([\dA-Fa-f]{1,8})[ \t]*(?:;.*)?$/;

type Expecting = 'size' | 'data' | 'data-end' | 'trailer';

export class Body {
  /** `whole`: nothing of it is to come. `broken`: nobody knows where it ends. */
  state: 'reading' | 'whole' | 'broken' = 'reading';

  readonly #chunked: boolean;
  #expecting: Expecting = 'data';
  /** Octets still to come, of the body or of the chunk. */
  #left: number;
  #line: number[] = [];

  constructor(kind: BodyKind) {
    this.#chunked = kind === 'chunked';
    this.#left = typeof kind === 'number' ? kind : Number.POSITIVE_INFINITY;
    if (this.#chunked) this.#expecting = 'size';
    else if (this.#left === 0) this.state = 'whole';
  }

  /** Gives the octets consumed. */
  input(b: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.state === 'reading') {
      if (this.#expecting === 'data') at += this.#skip(to - at);
      else this.#lineOctet(u8(b, at++));
    }
    return at - from;
  }

  #skip(there: number): number {
    const n = Math.min(there, this.#left);
    this.#left -= n;
    if (this.#left > 0) return n;
    if (this.#chunked) this.#expecting = 'data-end';
    else this.state = 'whole';
    return n;
  }

  #lineOctet(octet: number): void {
    if (octet !== LF) {
      this.#line.push(octet);
      if (this.#line.length > MAX_LINE_LEN) this.state = 'broken';
      return;
    }
    const line = Buffer.from(this.#line).toString('latin1').replace(/\r$/, '');
    this.#line = [];
    if (this.#expecting === 'size') this.#size(line);
    else if (this.#expecting === 'trailer') this.state = line === '' ? 'whole' : 'reading';
    else if (line === '') this.#expecting = 'size';
    else this.state = 'broken';
  }

  #size(line: string): void {
    const digits = CHUNK_SIZE.exec(line)?.[1];
    if (digits === undefined) {
      this.state = 'broken';
      return;
    }
    this.#left = Number.parseInt(digits, 16);
    this.#expecting = this.#left === 0 ? 'trailer' : 'data';
  }
}
