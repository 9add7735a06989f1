/**
 * The first octets of a byte stream, until it is known who speaks on it and what (tep-wire 1): a PROXY
 * header where one has to be there, a CONNECT that no proxy consumed, which is answered (H-03), another
 * HTTP request, which gets a short, right answer so that scanners and health checks see a sane peer.
 * Then TLS, a tunnel, or something that has no business here.
 *
 * Memory: what MAX_LOOK_AHEAD or a PROXY header need, one request head of 8 KiB, and the chunk that was
 * read last. What may come before the stream has said what it wants is MAX_GREETING_LEN octets.
 */
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { classify, type Speech } from '../framing/demux.ts';
import { type HttpAnswer, MAX_HEAD_LEN, RequestHead } from '../framing/http.ts';
import { MAX_PROXY_HEADER_LEN, readProxyHeader } from '../framing/proxy-protocol.ts';
import type { Endpoint } from '../wire/address.ts';
import { FAULTS, type Fault } from '../wire/faults.ts';

/** A PROXY header and a CONNECT; empty lines count, which are skipped. */
const MAX_GREETING_LEN = MAX_PROXY_HEADER_LEN + MAX_HEAD_LEN;
/** What is read and forgotten of a request that was answered. */
const MAX_AFTER_ANSWER_LEN = 65_536;

export interface GreetingPlace {
  /** A PROXY header has to come first. */
  readonly proxied: boolean;
  /** The octets come out of a TLS connection. */
  readonly insideTls: boolean;
}

export interface GreetingListener {
  /** A PROXY header told who is there, or that the balancer speaks for itself. False: go no further. */
  proxied(source: Endpoint | undefined): boolean;
  /** A TLS connection begins. The stream is paused; nothing of it has been read. */
  tls(): void;
  /** A tunnel begins, or plain STUN. The same. */
  tunnel(): void;
  /** An HTTP request has been answered; the stream closes by itself. */
  answered(): void;
  /** It speaks something else, or (0) ended before it had said anything. The stream is as it was. */
  refused(speech: Speech | Fault | 0): void;
}

export class Greeting {
  readonly #stream: Duplex;
  readonly #insideTls: boolean;
  readonly #listener: GreetingListener;
  #proxyDue: boolean;
  /** Octets that are not understood yet. */
  #unread: Uint8Array = new Uint8Array(0);
  #length = 0;
  #head: RequestHead | undefined;
  #hasConnected = false;
  #over = false;

  constructor(stream: Duplex, { proxied, insideTls }: GreetingPlace, listener: GreetingListener) {
    this.#stream = stream;
    this.#insideTls = insideTls;
    this.#proxyDue = proxied;
    this.#listener = listener;
    // Whoever accepted it may have paused it.
    stream.on('data', this.#input).once('end', this.#ended).resume();
  }

  /** Nothing that the stream says concerns it any more. */
  forget(): void {
    this.#over = true;
    this.#stream.off('data', this.#input).off('end', this.#ended);
  }

  readonly #input = (chunk: Uint8Array): void => {
    this.#length += chunk.length;
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    while (!this.#over && this.#unread.length > 0 && this.#step());
    const understood = this.#length - this.#unread.length;
    if (!this.#over && understood > MAX_GREETING_LEN) this.#refuse(FAULTS.UNAUTHENTICATED_LIMIT);
  };

  readonly #ended = (): void => {
    this.#refuse(0);
  };

  /** Understands some octets; false when more are needed, or none any more. */
  #step(): boolean {
    if (this.#proxyDue) return this.#readProxy();
    if (this.#head !== undefined) return this.#readHead(this.#head);
    const state = { insideTls: this.#insideTls, turn: false };
    const speech = classify(this.#unread, 0, this.#unread.length, state);
    switch (speech) {
      case 'need-more':
        return false;
      case 'crlf':
        this.#skip(2);
        return true;
      case 'connect':
      case 'http':
        // A second CONNECT inside the first is nobody's proxy.
        if (this.#hasConnected) return this.#refuse(speech);
        this.#head = new RequestHead();
        return true;
      case 'tls':
        this.#handOn();
        this.#listener.tls();
        return false;
      case 'stun':
      case 'turn':
      case 'inner-ip':
        this.#handOn();
        this.#listener.tunnel();
        return false;
      default:
        return this.#refuse(speech);
    }
  }

  #readProxy(): boolean {
    const header = readProxyHeader(this.#unread, 0, this.#unread.length);
    if (header === 'need-more') return false;
    if (typeof header === 'number') return this.#refuse(header);
    this.#proxyDue = false;
    this.#skip(header.length);
    if (this.#listener.proxied(header.source)) return true;
    this.forget();
    return false;
  }

  #readHead(head: RequestHead): boolean {
    this.#skip(head.input(this.#unread, 0, this.#unread.length));
    return head.answer === undefined ? false : this.#answer(head.answer);
  }

  #answer({ octets, tunnel }: HttpAnswer): boolean {
    this.#head = undefined;
    this.#hasConnected = true;
    if (tunnel) {
      this.#stream.write(octets);
      return true;
    }
    this.forget();
    this.#readAndForget();
    this.#stream.end(octets);
    this.#listener.answered();
    return false;
  }

  /** What else it sends is read: otherwise the answer could be lost to a reset. */
  #readAndForget(): void {
    let left = MAX_AFTER_ANSWER_LEN;
    this.#stream.on('data', (chunk: Uint8Array) => {
      left -= chunk.length;
      if (left < 0) this.#stream.destroy();
    });
  }

  #handOn(): void {
    this.forget();
    this.#stream.pause();
    this.#stream.unshift(this.#unread);
  }

  #refuse(speech: Speech | Fault | 0): false {
    this.forget();
    this.#listener.refused(speech);
    return false;
  }

  #skip(length: number): void {
    this.#unread = this.#unread.subarray(length);
  }
}
