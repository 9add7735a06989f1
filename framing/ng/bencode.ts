/**
 * Bencoding: integers `i-7e`, strings `3:abc`, lists `l…e`, dictionaries `d…e` of string keys and values.
 * Reading gives views: every value knows its octets, so that one can be replaced and all others stay as
 * they are, order of dictionaries included, which media gateways and proxies do not sort.
 *
 * Strict where two readers could differ: one form for each number, no key twice. Every length is
 * compared with a limit before it is waited for.
 */
import { Buffer } from 'node:buffer';
import { u8 } from '../../wire/bytes.ts';
import { FAULTS, type Fault } from '../../wire/faults.ts';

export const MAX_VALUE_LEN = 262_144;
export const MAX_DEPTH = 32;
/** Answers to queries have some fifty values for each stream of a call. */
export const MAX_VALUES = 16_384;

interface Span {
  /** The encoded value: octets [start, end). */
  readonly start: number;
  readonly end: number;
}

export interface StringValue extends Span {
  readonly type: 'string';
  /** Its content is [from, end). */
  readonly from: number;
}

export interface IntegerValue extends Span {
  readonly type: 'integer';
  readonly value: bigint;
}

export interface ListValue extends Span {
  readonly type: 'list';
  readonly items: readonly Value[];
}

export interface DictionaryValue extends Span {
  readonly type: 'dictionary';
  /** In the order of the octets. A key is one character per octet. */
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** Where the key begins; the entry ends with its value. */
  readonly start: number;
  readonly value: Value;
}

export type Value = StringValue | IntegerValue | ListValue | DictionaryValue;

const COLON = 0x3a;
const D = 0x64;
const E = 0x65;
const I = 0x69;
const L = 0x6c;

interface NumberForm {
  readonly whole: RegExp;
  readonly beginning: RegExp;
  /** Characters. */
  readonly most: number;
  readonly tooLong: Fault;
}

const LENGTH: NumberForm = {
  whole: /^(?:0|[1-9]\d*)$/,
  beginning: /^(?:0|[1-9]\d*)?$/,
  most: 6,
  tooLong: FAULTS.NG_TOO_LONG,
};
/** Of 64 bits, sign included. */
const INTEGER: NumberForm = {
  whole: /^(?:0|-?[1-9]\d*)$/,
  beginning: /^(?:0|-?(?:[1-9]\d*)?)$/,
  most: 20,
  tooLong: FAULTS.BENCODE_NUMBER,
};

/**
 * Reads the value that begins at `at`; others may follow it before `end`. A value that is not all there
 * and can still become legal is 'need-more'.
 */
export function readValue(b: Uint8Array, at: number, end: number): Value | 'need-more' | Fault {
  const reader = new Reader(b, at, end);
  return reader.value(0) ?? reader.verdict;
}

/** Content of a string, one character per octet. */
export function textOf(b: Uint8Array, value: StringValue): string {
  return latin1(b, value.from, value.end);
}

/** What can be written. Keys and strings as text are UTF-8; a Map keeps its order. */
export type Plain = string | Uint8Array | number | readonly Plain[] | ReadonlyMap<string, Plain>;

export function encode(value: Plain): Uint8Array {
  const out: Uint8Array[] = [];
  write(value, out);
  return Buffer.concat(out);
}

/** Gives undefined where it cannot go on, and says why in `verdict`. */
class Reader {
  verdict: 'need-more' | Fault = 'need-more';

  readonly #b: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #at: number;
  #values = 0;

  constructor(b: Uint8Array, at: number, end: number) {
    this.#b = b;
    this.#start = at;
    this.#at = at;
    this.#end = end;
  }

  value(depth: number): Value | undefined {
    if (this.#at - this.#start > MAX_VALUE_LEN) return this.#bad(FAULTS.NG_TOO_LONG);
    if (this.#at >= this.#end) return undefined;
    if (depth > MAX_DEPTH) return this.#bad(FAULTS.BENCODE_DEEP);
    if (++this.#values > MAX_VALUES) return this.#bad(FAULTS.BENCODE_MANY);
    const octet = u8(this.#b, this.#at);
    if (octet === I) return this.#integer();
    if (octet === L) return this.#list(depth);
    if (octet === D) return this.#dictionary(depth);
    return isDigit(octet) ? this.#string() : this.#bad(FAULTS.BENCODE_TYPE);
  }

  #integer(): IntegerValue | undefined {
    const start = this.#at;
    this.#at += 1;
    const digits = this.#number(E, INTEGER);
    if (digits === undefined) return undefined;
    return { type: 'integer', start, end: this.#at, value: BigInt(digits) };
  }

  #string(): StringValue | undefined {
    const start = this.#at;
    const digits = this.#number(COLON, LENGTH);
    if (digits === undefined) return undefined;
    const from = this.#at;
    const end = from + Number(digits);
    if (end - this.#start > MAX_VALUE_LEN) return this.#bad(FAULTS.NG_TOO_LONG);
    if (end > this.#end) return undefined;
    this.#at = end;
    return { type: 'string', start, from, end };
  }

  #list(depth: number): ListValue | undefined {
    const start = this.#at;
    const items: Value[] = [];
    for (this.#at += 1; !this.#isClosed(); ) {
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return { type: 'list', start, end: this.#at, items };
  }

  #dictionary(depth: number): DictionaryValue | undefined {
    const start = this.#at;
    const entries = new Map<string, Entry>();
    for (this.#at += 1; !this.#isClosed(); ) {
      const key = this.value(depth + 1);
      if (key === undefined) return undefined;
      const name = key.type === 'string' ? textOf(this.#b, key) : undefined;
      if (name === undefined || entries.has(name)) return this.#bad(FAULTS.BENCODE_KEY);
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      entries.set(name, { start: key.start, value });
    }
    return { type: 'dictionary', start, end: this.#at, entries };
  }

  /** Takes the `e` that closes a list or dictionary. */
  #isClosed(): boolean {
    if (this.#at >= this.#end || u8(this.#b, this.#at) !== E) return false;
    this.#at += 1;
    return true;
  }

  /** The digits up to `mark`, which is taken too. What has come of them must be a legal beginning. */
  #number(mark: number, form: NumberForm): string | undefined {
    const last = Math.min(this.#end, this.#at + form.most + 1);
    let at = this.#at;
    while (at < last && u8(this.#b, at) !== mark) at += 1;
    const digits = latin1(this.#b, this.#at, at);
    const whole = at < last;
    if (!(whole ? form.whole : form.beginning).test(digits))
      return this.#bad(FAULTS.BENCODE_NUMBER);
    if (digits.length > form.most) return this.#bad(form.tooLong);
    if (!whole) return undefined;
    this.#at = at + 1;
    return digits;
  }

  #bad(fault: Fault): undefined {
    this.verdict = fault;
  }
}

function write(value: Plain, out: Uint8Array[]): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError('no integer');
    out.push(Buffer.from(`i${value}e`));
  } else if (typeof value === 'string' || value instanceof Uint8Array) {
    const octets = typeof value === 'string' ? Buffer.from(value) : value;
    out.push(Buffer.from(`${octets.length}:`), octets);
  } else if (value instanceof Map) {
    out.push(Buffer.from('d'));
    for (const [key, one] of value) {
      write(key, out);
      write(one, out);
    }
    out.push(Buffer.from('e'));
  } else {
    out.push(Buffer.from('l'));
    for (const one of value as readonly Plain[]) write(one, out);
    out.push(Buffer.from('e'));
  }
}

function isDigit(octet: number): boolean {
  return octet >= 0x30 && octet <= 0x39;
}

function latin1(b: Uint8Array, at: number, end: number): string {
  return Buffer.from(b.buffer, b.byteOffset + at, end - at).toString('latin1');
}
