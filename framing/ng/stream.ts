/**
 * Cuts a byte stream into messages of the ng protocol (rtpengine `listen-tcp-ng`): a message ends where
 * its dictionary does. Every octet is looked at once, however it arrives.
 *
 * A stream that is none is closed by whoever has it: nothing after it can be found. Memory: twice the
 * longest message, MAX_COOKIE_LEN + 1 + MAX_VALUE_LEN octets, and the chunk that was pushed.
 */
import { Buffer } from 'node:buffer';
import { u8 } from '../../wire/bytes.ts';
import { FAULTS, type Fault } from '../../wire/faults.ts';
import { MAX_DEPTH, MAX_VALUE_LEN } from './bencode.ts';
import { MAX_COOKIE_LEN } from './message.ts';

const MAX_MESSAGE_LEN = MAX_COOKIE_LEN + 1 + MAX_VALUE_LEN;
const FIRST_LEN = 2_048;
const SPACE = 0x20;
const COLON = 0x3a;
const D = 0x64;
const E = 0x65;
const I = 0x69;
const L = 0x6c;

export class NgStream {
  /** What has come of a message: octets [0, #end), which grow by doubling. */
  #kept = Buffer.alloc(FIRST_LEN);
  #end = 0;
  /** How far it has been looked through; beyond the end while a string is coming. */
  #at = 0;
  #isInValue = false;
  #isInInteger = false;
  #depth = 0;
  /** Of the length of a string, while its digits come. */
  #length: number | undefined;

  /** The messages that end in this chunk, each with octets of its own; or why the stream must be closed. */
  push(chunk: Uint8Array): readonly Uint8Array[] | Fault {
    this.#keep(chunk);
    const messages: Uint8Array[] = [];
    while (this.#at < this.#end) {
      const octet = u8(this.#kept, this.#at);
      const fault = this.#step(octet);
      if (fault !== 0) return fault;
      if (this.#at > MAX_MESSAGE_LEN) return FAULTS.NG_TOO_LONG;
      if (this.#isInValue && this.#depth === 0 && octet === E) messages.push(this.#take());
    }
    return messages;
  }

  #keep(chunk: Uint8Array): void {
    const end = this.#end + chunk.length;
    if (end > this.#kept.length) {
      const grown = Buffer.alloc(Math.max(end, 2 * this.#kept.length));
      grown.set(this.#kept.subarray(0, this.#end));
      this.#kept = grown;
    }
    this.#kept.set(chunk, this.#end);
    this.#end = end;
  }

  #step(octet: number): 0 | Fault {
    if (!this.#isInValue) return this.#cookie(octet);
    this.#at += 1;
    if (this.#isInInteger) {
      this.#isInInteger = octet !== E;
      return 0;
    }
    if (this.#length !== undefined) return this.#string(octet);
    if (octet === D || octet === L) {
      this.#depth += 1;
      return this.#depth > MAX_DEPTH ? FAULTS.BENCODE_DEEP : 0;
    }
    // All there is between messages is inside a dictionary.
    if (this.#depth === 0) return FAULTS.BENCODE_TYPE;
    if (octet === E) this.#depth -= 1;
    else if (octet === I) this.#isInInteger = true;
    else return this.#string(octet);
    return 0;
  }

  #cookie(octet: number): 0 | Fault {
    this.#at += 1;
    if (octet === SPACE) this.#isInValue = true;
    else if (octet < SPACE || this.#at > MAX_COOKIE_LEN) return FAULTS.NG_COOKIE;
    return 0;
  }

  #string(octet: number): 0 | Fault {
    if (octet === COLON && this.#length !== undefined) {
      this.#at += this.#length;
      this.#length = undefined;
      return 0;
    }
    const digit = octet - 0x30;
    if (digit < 0 || digit > 9) return FAULTS.BENCODE_TYPE;
    this.#length = (this.#length ?? 0) * 10 + digit;
    return this.#length > MAX_VALUE_LEN ? FAULTS.NG_TOO_LONG : 0;
  }

  #take(): Uint8Array {
    const message = Buffer.from(this.#kept.subarray(0, this.#at));
    this.#kept.copyWithin(0, this.#at, this.#end);
    this.#end -= this.#at;
    this.#at = 0;
    this.#isInValue = false;
    return message;
  }
}
