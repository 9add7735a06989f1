/**
 * SIP (RFC 3261) in the payloads of a capture, on whatever port, recognised by its first line. Only
 * what is needed to find media: who sent which method, and the session description in the body.
 * Over TCP a message may come in several segments; the beginning of one is waited for.
 *
 * Memory: at most MAX_STREAMS beginnings of MAX_MESSAGE_LEN octets.
 */
import { Buffer } from 'node:buffer';
import { descriptionsIn, octetsIn } from '../../sip/body.ts';
import { assemble, contentLength, latin1, readHead } from '../../sip/message.ts';

const MAX_MESSAGE_LEN = 65_535;
const MAX_STREAMS = 64;

const FIRST_LINE = /^(?:[A-Z]{3,20} \S+ SIP\/2\.0|SIP\/2\.0 [1-6]\d\d .*)$/;
/** The first line must be there whole in this many octets to be taken for SIP. */
const MAX_FIRST_LINE_LEN = 1_024;

export interface SipMessage {
  /** Of a request; undefined for a response. */
  readonly method: string | undefined;
  /** The session description; undefined when there is none. Octets of its own. */
  readonly sdp: Uint8Array | undefined;
  /** Octets of the whole message. */
  readonly length: number;
}

/** The message that the octets begin with: undefined when they are no SIP or not all there. */
export function readSip(b: Uint8Array, at: number, end: number): SipMessage | undefined {
  if (!looksLikeSip(b, at, end)) return undefined;
  const text = latin1(b, at, end);
  const head = readHead(text);
  if (typeof head === 'number') return undefined;
  const length = contentLength(text, head.fields) ?? text.length - head.bodyStart;
  const whole = head.bodyStart + length;
  if (length < 0 || whole > text.length) return undefined;
  const message = assemble(head, text.slice(0, whole), 0);
  const description = descriptionsIn(message)?.find((one) => one.disposition === 'session');
  return {
    method: message.type === 'request' ? message.method : undefined,
    sdp: description === undefined ? undefined : octetsIn(message, description),
    length: whole,
  };
}

/** Cheap enough to ask for every packet. */
export function looksLikeSip(b: Uint8Array, at: number, end: number): boolean {
  const first = b[at];
  if (end - at < 16 || first === undefined || first < 0x41 || first > 0x5a) return false;
  const from = b.subarray(at, Math.min(end, at + MAX_FIRST_LINE_LEN));
  const lineEnd = from.indexOf(0x0d);
  return lineEnd > 0 && FIRST_LINE.test(Buffer.from(from.subarray(0, lineEnd)).toString('latin1'));
}

/** Puts messages together from the segments of TCP connections that were seen to speak SIP. */
export class SipStreams {
  /** By connection and direction: the beginning of a message, and the next sequence number. */
  readonly #streams = new Map<string, { octets: Buffer; next: number }>();

  /** Takes a segment's payload [at, end) with its sequence number; gives the messages it completes. */
  take(key: string, sequence: number, b: Uint8Array, at: number, end: number): SipMessage[] {
    const stream = this.#streams.get(key);
    const passed = stream === undefined ? keepAliveLength(b.subarray(at, end)) : 0;
    const begins = looksLikeSip(b, at + passed, end);
    if (stream === undefined || begins) {
      if (!begins) return [];
      return this.#continue(key, Buffer.from(b.subarray(at, end)), sequence + end - at);
    }
    // A repeated segment changes nothing; one that does not follow ends the message at hand.
    if (sequence !== stream.next) {
      if ((sequence - stream.next) >>> 0 < 0x8000_0000) this.#streams.delete(key);
      return [];
    }
    const octets = Buffer.concat([stream.octets, b.subarray(at, end)]);
    return this.#continue(key, octets, sequence + end - at);
  }

  #continue(key: string, octets: Buffer, next: number): SipMessage[] {
    const messages: SipMessage[] = [];
    let rest = octets;
    for (;;) {
      rest = rest.subarray(keepAliveLength(rest));
      const message = readSip(rest, 0, rest.length);
      if (message === undefined) break;
      messages.push(message);
      rest = rest.subarray(message.length);
    }
    this.#streams.delete(key);
    if (rest.length <= MAX_MESSAGE_LEN && mayBecomeSip(rest)) {
      this.#streams.set(key, { octets: rest, next: next >>> 0 });
    }
    for (const oldest of this.#streams.keys()) {
      if (this.#streams.size <= MAX_STREAMS) break;
      this.#streams.delete(oldest);
    }
    return messages;
  }
}

/** Line ends between messages keep the connection alive (RFC 5626 section 4.4.1). */
function keepAliveLength(octets: Uint8Array): number {
  const first = octets.findIndex((octet) => octet !== 0x0d && octet !== 0x0a);
  return first < 0 ? octets.length : first;
}

/** Nothing yet, or a first line that is not all there. */
function mayBecomeSip(rest: Buffer): boolean {
  if (looksLikeSip(rest, 0, rest.length)) return true;
  return rest.length < MAX_FIRST_LINE_LEN && !rest.includes(0x0d);
}
