/**
 * As much of an HTTP server as a tunnel end needs on port 80: it consumes a CONNECT that no proxy
 * consumed (H-03; RFC 9110 clause 9.3.6) and gives every other request a short, right answer, so that
 * scanners and health checks see a sane peer. It never connects anywhere on behalf of a CONNECT.
 *
 *    const head = new RequestHead();
 *    from += head.input(chunk, from, to);
 *    if (head.answer) { send head.answer.octets; tunnel ? go on with the octets at `from` : close }
 *
 * Reading is line by line after RFC 9112: a bare LF ends a line (clause 2.2), empty lines before the
 * request are skipped, and nothing else is forgiven. Memory: one line of at most MAX_HEAD_LEN octets.
 */
import { Buffer } from 'node:buffer';
import { u8 } from '../wire/bytes.ts';

/** Longest request head in octets, empty line included. */
export const MAX_HEAD_LEN = 8192;

export interface HttpAnswer {
  readonly status: 200 | 400 | 404 | 414 | 431 | 505;
  /** True: what follows the head is the tunnel. False: send the octets, then close. */
  readonly tunnel: boolean;
  readonly octets: Uint8Array;
}

const LF = 0x0a;

const REASONS = {
  400: 'Bad Request',
  404: 'Not Found',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
  505: 'HTTP Version Not Supported',
} as const;

const REQUEST_LINE = /^([\w!#$%&'*+.^`|~-]+) ([\x21-\x7e]+) HTTP\/(\d)\.(\d)$/;
const FIELD_LINE = /^([\w!#$%&'*+.^`|~-]+):[\t\x20-\x7e\x80-\xff]*$/;
/** RFC 9112 clause 3.2.3: the port is never left out; IPv6 stands in brackets. */
const AUTHORITY_FORM = /^(?:\[[\dA-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]+):(\d{1,5})$/;

export class RequestHead {
  /** Set once the head is whole, or is known to be bad. No octet is consumed after that. */
  answer: HttpAnswer | undefined;

  #consumed = 0;
  readonly #line = Buffer.allocUnsafe(MAX_HEAD_LEN);
  #lineLength = 0;
  #method = '';
  #target = '';
  #hostNeeded = false;
  #hosts = 0;

  /** Reads from [from, to); gives the octets consumed, which are all while there is no answer. */
  input(b: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.answer === undefined) {
      const octet = u8(b, at++);
      this.#consumed += 1;
      if (octet === LF) this.#endLine();
      else this.#line[this.#lineLength++] = octet;
      if (this.#consumed >= MAX_HEAD_LEN) this.answer ??= this.#tooLong();
    }
    return at - from;
  }

  #tooLong(): HttpAnswer {
    return refusal(this.#method === '' ? 414 : 431, this.#method);
  }

  #endLine(): void {
    const text = this.#line.toString('latin1', 0, this.#lineLength);
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    this.#lineLength = 0;
    if (this.#method === '') this.answer = line === '' ? undefined : this.#requestLine(line);
    else this.answer = line === '' ? this.#endHead() : this.#fieldLine(line);
  }

  #requestLine(line: string): HttpAnswer | undefined {
    const [, method, target, major, minor] = REQUEST_LINE.exec(line) ?? [];
    if (method === undefined || target === undefined) return refusal(400, '');
    this.#method = method;
    this.#target = target;
    this.#hostNeeded = minor !== '0';
    return major === '1' ? undefined : refusal(505, method);
  }

  /** No space before the colon and no folded line (RFC 9112 clauses 5.1 and 5.2). */
  #fieldLine(line: string): HttpAnswer | undefined {
    const name = FIELD_LINE.exec(line)?.[1];
    if (name === undefined) return refusal(400, this.#method);
    if (name.toLowerCase() === 'host') this.#hosts += 1;
    return undefined;
  }

  #endHead(): HttpAnswer {
    const hostsLegal = this.#hosts === 1 || (this.#hosts === 0 && !this.#hostNeeded);
    if (!hostsLegal) return refusal(400, this.#method);
    if (this.#method !== 'CONNECT') return refusal(404, this.#method);
    return isAuthority(this.#target) ? established() : refusal(400, this.#method);
  }
}

function isAuthority(target: string): boolean {
  const port = Number(AUTHORITY_FORM.exec(target)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

/** A 2xx to CONNECT carries neither content nor a length of it (RFC 9110 clause 9.3.6). */
function established(): HttpAnswer {
  const octets = Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n', 'latin1');
  return { status: 200, tunnel: true, octets };
}

/** The answer to HEAD names the length of the content that it leaves out (RFC 9110 clause 9.3.2). */
function refusal(status: keyof typeof REASONS, method: string): HttpAnswer {
  const content = `${status} ${REASONS[status]}\n`;
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    'Connection: close',
    'Content-Type: text/plain',
    `Content-Length: ${content.length}`,
  ];
  const text = `${head.join('\r\n')}\r\n\r\n${method === 'HEAD' ? '' : content}`;
  return { status, tunnel: false, octets: Buffer.from(text, 'latin1') };
}
