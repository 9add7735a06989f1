/**
 * Reads what a proxy answers to CONNECT, HTTP/1.0 and HTTP/1.1 (RFC 9112, RFC 9110 clause 9.3.6).
 *
 *     const reader = new AnswerReader();
 *     from += reader.input(chunk, from, to);       // reader.end() when the peer ended its side
 *     reader.answer                                // set: nothing more is consumed
 *
 * Any 2xx opens the tunnel, which begins right behind the head, whatever lengths the head claims
 * (H-11). Interim answers (1xx) are skipped. The content of every other answer is read and forgotten,
 * so that the connection can carry the next request where the proxy keeps it open.
 *
 * Memory: a head of at most MAX_HEAD_LEN octets; nothing of the content.
 */
import { Buffer } from 'node:buffer';
import { u8 } from '../../wire/bytes.ts';
import { FAULTS, type Fault } from '../../wire/faults.ts';
import { Body, type BodyKind } from './body.ts';

/** Most octets before the content, interim answers included. */
export const MAX_HEAD_LEN = 32_768;
/** Content longer than that is not waited for: a new connection is cheaper. */
export const MAX_BODY_LEN = 262_144;

export interface Refusal {
  readonly type: 'refused';
  readonly status: number;
  /** The proxy's own words, printable ASCII, perhaps empty. */
  readonly reason: string;
  /** Values of Proxy-Authenticate, or of WWW-Authenticate where the status is 401. */
  readonly challenges: readonly string[];
  /** The connection is ready for another request. */
  readonly reusable: boolean;
}

export type Answer =
  | { readonly type: 'tunnel' }
  | Refusal
  | { readonly type: 'bad'; readonly fault: Fault };

const LF = 0x0a;
const STATUS_LINE = /^HTTP\/1\.(\d) ([1-5]\d\d)(?: (.*))?$/;
const FIELD_LINE = /^([\w!#$%&'*+.^`|~-]+)[ \t]*:[ \t]*(.*?)[ \t]*$/;
const MAX_REASON_LEN = 100;

export class AnswerReader {
  /** Set when all is known. */
  answer: Answer | undefined;

  #consumed = 0;
  #line: number[] = [];
  /** The status line that was read; undefined before. */
  #status: { readonly minor: string; readonly code: number; readonly reason: string } | undefined;
  #fields: Array<{ readonly name: string; value: string }> = [];
  #body: Body | undefined;
  #bodyRead = 0;

  /** Gives the octets consumed, which are all while there is no answer. */
  input(b: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.answer === undefined) {
      if (this.#body === undefined) this.#headOctet(u8(b, at++));
      else at += this.#content(this.#body, b, at, to);
    }
    return at - from;
  }

  /** The peer has ended its side: nothing more will come. */
  end(): void {
    if (this.answer !== undefined) return;
    if (this.#body === undefined) this.#bad(FAULTS.HTTP_CUT_OFF);
    else this.#refuse(false);
  }

  #headOctet(octet: number): void {
    this.#consumed += 1;
    if (octet === LF) this.#endLine();
    else this.#line.push(octet);
    if (this.#consumed >= MAX_HEAD_LEN && this.#body === undefined) this.#bad(FAULTS.HTTP_TOO_LONG);
  }

  /** A bare LF ends a line too, and empty lines before the answer are skipped (RFC 9112 clause 2.2). */
  #endLine(): void {
    const line = Buffer.from(this.#line).toString('latin1').replace(/\r$/, '');
    this.#line = [];
    if (this.#status !== undefined) {
      if (line === '') this.#endHead(this.#status.code);
      else this.#fieldLine(line);
    } else if (line !== '') this.#statusLine(line);
  }

  #statusLine(line: string): void {
    const [, minor, code, reason = ''] = STATUS_LINE.exec(line) ?? [];
    if (minor === undefined) this.#bad(FAULTS.HTTP_BROKEN);
    else this.#status = { minor, code: Number(code), reason: printable(reason) };
  }

  /** A line that begins with a space goes on with the one before (RFC 9112 clause 5.2). */
  #fieldLine(line: string): void {
    const before = this.#fields.at(-1);
    if (/^[ \t]/.test(line)) {
      if (before !== undefined) before.value += ` ${line.trim()}`;
      return;
    }
    const [, name, value = ''] = FIELD_LINE.exec(line) ?? [];
    // A line that is no field is nothing that we need.
    if (name !== undefined) this.#fields.push({ name: name.toLowerCase(), value });
  }

  #endHead(code: number): void {
    if (code < 200) {
      // 101 is the answer to an Upgrade, which nobody asked for.
      if (code === 101) this.#bad(FAULTS.HTTP_BROKEN);
      this.#status = undefined;
      this.#fields = [];
    } else if (code < 300) {
      this.answer ??= { type: 'tunnel' };
    } else {
      this.#body = new Body(this.#bodyKind());
      if (this.#body.state === 'whole') this.#refuse(this.#keepsOpen());
    }
  }

  #content(body: Body, b: Uint8Array, from: number, to: number): number {
    const n = body.input(b, from, to);
    this.#bodyRead += n;
    if (body.state === 'whole') this.#refuse(this.#keepsOpen());
    else if (body.state === 'broken' || this.#bodyRead > MAX_BODY_LEN) this.#refuse(false);
    return n;
  }

  /** RFC 9112 clause 6.3. What is contradictory ends with the connection. */
  #bodyKind(): BodyKind {
    const codings = this.#values('transfer-encoding');
    if (codings.length > 0) return codings.at(-1) === 'chunked' ? 'chunked' : 'close';
    if (this.#status?.code === 304) return 0;
    const lengths = new Set(this.#values('content-length'));
    const [length = ''] = lengths;
    return lengths.size === 1 && /^\d{1,9}$/.test(length) ? Number(length) : 'close';
  }

  /** RFC 9112 clause 9.3; `Proxy-Connection` is what older proxies say instead (its appendix C.2.2). */
  #keepsOpen(): boolean {
    const options = [...this.#values('connection'), ...this.#values('proxy-connection')];
    const both = this.#values('transfer-encoding').length > 0 && this.#has('content-length');
    if (both || options.includes('close')) return false;
    return this.#status?.minor !== '0' || options.includes('keep-alive');
  }

  #refuse(reusable: boolean): void {
    if (this.#status === undefined) throw new RangeError('no status yet');
    const { code: status, reason } = this.#status;
    const name = status === 401 ? 'www-authenticate' : 'proxy-authenticate';
    const challenges = this.#fields.filter((field) => field.name === name).map((f) => f.value);
    this.answer = { type: 'refused', status, reason, challenges, reusable };
  }

  #bad(fault: Fault): void {
    this.answer ??= { type: 'bad', fault };
  }

  #has(name: string): boolean {
    return this.#fields.some((field) => field.name === name);
  }

  /** The members of a list field, in lower case. */
  #values(name: string): string[] {
    return this.#fields
      .filter((field) => field.name === name)
      .flatMap(({ value }) => value.split(','))
      .map((member) => member.trim().toLowerCase())
      .filter((member) => member !== '');
  }
}

/** What a proxy says may reach a terminal. */
function printable(reason: string): string {
  return reason
    .replace(/[^\x20-\x7e]/g, '?')
    .trim()
    .slice(0, MAX_REASON_LEN);
}
