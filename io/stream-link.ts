/**
 * Joins one byte stream (TCP; TLS or a proxy's tunnel later) to a connection of a tunnel end. Octets
 * are written when the stream has taken those before, so what waits, waits in the end's own queue,
 * where it is bounded and counted.
 */
import type { Duplex } from 'node:stream';
import type { TunnelEnd } from '../session/tunnel-end.ts';
import { now } from './clock.ts';
import { writeNow } from './write-now.ts';

/** How long a peer may take to read what was flushed to it, and to close in turn. */
const FLUSH_MS = 3_000;

/** What a link needs of its tunnel end. */
export type LinkedEnd = Pick<TunnelEnd<unknown>, 'input' | 'pending' | 'wrote' | 'disconnected'>;

export class StreamLink {
  readonly stream: Duplex;
  /** Kept here by whoever watches the connection (carrier-sampler.ts). */
  busySinceMs = 0;
  askedMs = Number.NEGATIVE_INFINITY;
  readonly #conn: number;
  readonly #end: LinkedEnd;
  readonly #touched: () => void;
  readonly #left: (conn: number) => void;
  #writing = false;
  #ending = false;
  #gone = false;
  #flushTimer: NodeJS.Timeout | undefined;
  #untaken: NodeJS.Immediate | undefined;

  /** `touched` is called after each input to the end; `gone` once, after `disconnected`. */
  constructor(
    stream: Duplex,
    conn: number,
    end: LinkedEnd,
    touched: () => void,
    gone: (conn: number) => void,
  ) {
    this.stream = stream;
    this.#conn = conn;
    this.#end = end;
    this.#touched = touched;
    this.#left = gone;
    stream.on('data', this.#input);
    // Whoever had the stream before may have paused it.
    stream.resume();
    stream.once('end', this.#ended);
    // A reset shows as an error and then a close; the close is what counts.
    stream.on('error', () => {});
    stream.once('close', this.#closed);
  }

  /** Lets go of the stream, paused; for the end the connection is gone. */
  detach(): Duplex {
    const stream = this.stream;
    stream.off('data', this.#input).off('end', this.#ended).off('close', this.#closed).pause();
    this.#closed();
    return stream;
  }

  /** Writes what the end has for this connection, unless an earlier write is still under way. */
  flush(): void {
    while (!this.#writing && !this.#gone) {
      const octets = this.#end.pending(this.#conn, now());
      if (octets.length === 0) {
        if (this.#ending) this.stream.end();
        return;
      }
      this.#write(octets);
    }
  }

  /** Ends the connection: at once, or after what is pending has been written. */
  close(flush: boolean): void {
    if (!flush) {
      this.stream.destroy();
      return;
    }
    if (this.#ending || this.#gone) return;
    this.#ending = true;
    this.#flushTimer = setTimeout(() => this.stream.destroy(), FLUSH_MS);
    this.flush();
  }

  readonly #input = (chunk: Uint8Array): void => {
    if (this.#gone) return;
    this.#end.input(this.#conn, chunk, 0, chunk.length, now());
    this.#touched();
  };

  /** A peer that ended its side is no tunnel any more: it may still read what waits for it. */
  readonly #ended = (): void => {
    this.close(true);
  };

  readonly #closed = (): void => {
    this.#gone = true;
    clearTimeout(this.#flushTimer);
    clearImmediate(this.#untaken);
    this.#end.disconnected(this.#conn, now());
    this.#left(this.#conn);
    this.#touched();
  };

  #write(octets: Uint8Array): void {
    const taken = writeNow(this.stream, octets);
    if (taken > 0) this.#end.wrote(this.#conn, taken, now());
    if (taken < octets.length) this.#writeRest(octets.subarray(taken));
  }

  #writeRest(octets: Uint8Array): void {
    this.#writing = true;
    this.stream.write(octets, (error) => this.#written(octets.length, error));
    // TLS tells a turn later that its octets were taken.
    if (this.stream.writableLength > 0) this.#untaken = setImmediate(this.#waits);
  }

  #written(n: number, error: Error | null | undefined): void {
    const hasWaited = this.#untaken !== undefined;
    clearImmediate(this.#untaken);
    this.#untaken = undefined;
    this.#writing = false;
    if (this.#gone || error) return;
    this.#end.wrote(this.#conn, n, now());
    this.flush();
    // Taken at once, in the turn that settles everything, it changes nothing else.
    if (hasWaited) this.#touched();
  }

  readonly #waits = (): void => {
    this.#end.wrote(this.#conn, 0, now());
  };
}
