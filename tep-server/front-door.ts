/**
 * What comes before a tunnel on a connection (tep-wire 1): a CONNECT that no proxy consumed is
 * answered and the connection goes on (H-03); any other HTTP request gets a short, right answer, so
 * that scanners and health checks see a sane peer; what speaks something else is closed. The session
 * learns of a connection only when STUN, or what may be a record, begins.
 *
 * TLS and the PROXY protocol belong here too, once they are there: each hands its own stream on.
 *
 * Memory of a connection that waits here: MAX_LOOK_AHEAD octets, or one request head of 8 KiB.
 */
import type { Duplex } from 'node:stream';
import { classify, type DemuxState, type Speech } from '../framing/demux.ts';
import { type HttpAnswer, RequestHead } from '../framing/http.ts';
import type { Fault } from '../wire/faults.ts';

/** How long a connection may take to say what it wants. */
const GREETING_MS = 15_000;

const PLAIN: DemuxState = { insideTls: false, turn: false };

export interface Visitor {
  readonly stream: Duplex;
  /** It speaks as a tunnel does; nothing of that has been read. */
  readonly admit: () => void;
  /** It was, or will be, closed; `speech` is what it spoke, 0 when it said too little in time. */
  readonly turnedAway: (speech: Speech | Fault | 0) => void;
}

export class FrontDoor {
  readonly #waiting = new Set<Greeting>();

  enter(visitor: Visitor): void {
    const greeting = new Greeting(visitor, () => this.#waiting.delete(greeting));
    this.#waiting.add(greeting);
  }

  /** Closes every connection that has not been admitted, those that were turned away too. */
  close(): void {
    for (const { stream } of this.#waiting) stream.destroy();
  }
}

class Greeting {
  readonly stream: Duplex;
  readonly #visitor: Visitor;
  readonly #left: () => void;
  readonly #timer: NodeJS.Timeout;
  /** Octets that are not understood yet. */
  #unread: Uint8Array = new Uint8Array(0);
  #head: RequestHead | undefined;
  #hasConnected = false;
  #over = false;

  constructor(visitor: Visitor, left: () => void) {
    this.stream = visitor.stream;
    this.#visitor = visitor;
    this.#left = left;
    this.#timer = setTimeout(() => this.#refuse(0), GREETING_MS);
    // A reset shows as an error and then a close.
    this.stream.on('error', () => {});
    this.stream.once('close', this.#leave).once('end', this.#ended);
    this.stream.on('data', this.#input);
  }

  readonly #input = (chunk: Uint8Array): void => {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    while (!this.#over && this.#unread.length > 0 && this.#step());
  };

  readonly #ended = (): void => {
    this.#refuse(0);
  };

  readonly #leave = (): void => {
    this.#forget();
    this.#left();
  };

  /** Nothing that the stream does concerns us any more. */
  #forget(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.stream.off('data', this.#input).off('close', this.#leave).off('end', this.#ended);
  }

  /** Understands some octets; false when more are needed. */
  #step(): boolean {
    if (this.#head !== undefined) return this.#readHead(this.#head);
    const speech = classify(this.#unread, 0, this.#unread.length, PLAIN);
    switch (speech) {
      case 'need-more':
        return false;
      case 'crlf':
        this.#unread = this.#unread.subarray(2);
        return true;
      case 'connect':
      case 'http':
        // A second CONNECT inside the first is nobody's proxy.
        if (this.#hasConnected) return this.#refuse(speech);
        this.#head = new RequestHead();
        return true;
      case 'stun':
      case 'turn':
      case 'inner-ip':
        return this.#admit();
      default:
        return this.#refuse(speech);
    }
  }

  #readHead(head: RequestHead): boolean {
    const read = head.input(this.#unread, 0, this.#unread.length);
    this.#unread = this.#unread.subarray(read);
    if (head.answer === undefined) return false;
    return this.#answer(head.answer);
  }

  #answer({ octets, tunnel }: HttpAnswer): boolean {
    this.#head = undefined;
    this.#hasConnected = true;
    if (tunnel) {
      this.stream.write(octets);
      return true;
    }
    this.#forget();
    this.stream.once('close', this.#left);
    // What else it sends is read and forgotten, or the answer could be lost to a reset.
    this.stream.on('data', () => {});
    this.stream.end(octets);
    this.#limit();
    this.#visitor.turnedAway('http');
    return false;
  }

  #admit(): boolean {
    this.#leave();
    this.stream.pause();
    this.stream.unshift(this.#unread);
    this.#visitor.admit();
    return false;
  }

  #refuse(speech: Speech | Fault | 0): boolean {
    this.#leave();
    this.stream.destroy();
    this.#visitor.turnedAway(speech);
    return false;
  }

  /** A peer that never closes is closed. */
  #limit(): void {
    const timer = setTimeout(() => this.stream.destroy(), GREETING_MS);
    this.stream.once('close', () => clearTimeout(timer));
  }
}
