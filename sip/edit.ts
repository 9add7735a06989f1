/**
 * Changes to single ranges of a SIP message. What is not named here comes out octet by octet as it came
 * in. When the body changes its length, Content-Length follows by itself.
 */
import { fieldsOf, firstField } from './fields.ts';
import { type Message, octetsOf } from './message.ts';
import { valuesOf } from './name-addr.ts';
import type { Range } from './tokens.ts';

interface Patch {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export class Edit {
  readonly message: Message;
  /** In the order of the text. */
  readonly #patches: Patch[] = [];
  #length = false;

  constructor(message: Message) {
    this.message = message;
  }

  /** Ranges of different changes must not overlap; insertions at one place come out in their order. */
  replace(range: Range, text: string): void {
    if (this.message.text.slice(range.start, range.end) === text) return;
    place(this.#patches, { start: range.start, end: range.end, text });
  }

  insert(at: number, text: string): void {
    place(this.#patches, { start: at, end: at, text });
  }

  /** A field of its own line above the first field of this key; at the end of the head without one. */
  addFieldAbove(key: string, line: string): void {
    const first = firstField(this.message.fields, key);
    this.insert(first?.start ?? this.message.fieldsEnd, `${line}\r\n`);
  }

  removeFields(key: string): void {
    for (const field of fieldsOf(this.message.fields, key)) this.replace(field, '');
  }

  /**
   * Takes the values [from, to) out of a list with their commas, and fields that lose all of theirs.
   * Ranges of one key must have a value between them that stays. False, and nothing done: there are
   * not so many, or they cannot be told apart.
   */
  removeValues(key: string, from: number, to: number): boolean {
    const fields = fieldsOf(this.message.fields, key);
    const lists = fields.map((field) => valuesOf(this.message.text, [field]));
    const count = lists.reduce((sum, list) => sum + (list?.length ?? Number.NaN), 0);
    if (!(to <= count)) return false;
    let at = 0;
    for (const [i, field] of fields.entries()) {
      const own = lists[i] ?? [];
      this.#removeFrom(field, own, Math.max(0, from - at), Math.min(own.length, to - at));
      at += own.length;
    }
    return true;
  }

  /** Content-Length, which a datagram may lack and a stream may not (RFC 3261 clause 18.3), is written. */
  writeLength(): void {
    this.#length = true;
  }

  /** The edited message, owned by the caller. */
  octets(): Uint8Array {
    const { text, bodyStart } = this.message;
    const patches = [...this.#patches];
    const isBodyEdited = (patches.at(-1)?.start ?? 0) >= bodyStart;
    if (this.#length || isBodyEdited) this.#patchLength(patches);
    let out = '';
    let at = 0;
    for (const patch of patches) {
      if (patch.start < at) throw new RangeError('two changes of the same octets');
      out += text.slice(at, patch.start) + patch.text;
      at = patch.end;
    }
    return octetsOf(out + text.slice(at));
  }

  #patchLength(patches: Patch[]): void {
    const { fields, fieldsEnd, bodyStart, bodyEnd } = this.message;
    let length = bodyEnd - bodyStart;
    for (const { start, end, text } of patches) {
      if (start >= bodyStart) length += text.length - (end - start);
    }
    const found = fieldsOf(fields, 'content-length');
    for (const { valueStart, valueEnd } of found) {
      place(patches, { start: valueStart, end: valueEnd, text: String(length) });
    }
    if (found.length > 0) return;
    place(patches, { start: fieldsEnd, end: fieldsEnd, text: `Content-Length: ${length}\r\n` });
  }

  /** Takes [from, to) out of `own`, the values of the field. */
  #removeFrom(field: Range, own: readonly Range[], from: number, to: number): void {
    const [first, last] = [own[from], own[to - 1]];
    if (first === undefined || last === undefined || from >= to) return;
    const [before, after] = [own[from - 1], own[to]];
    if (after !== undefined) this.replace({ start: first.start, end: after.start }, '');
    else if (before !== undefined) this.replace({ start: before.end, end: last.end }, '');
    else this.replace(field, '');
  }
}

/** Behind those at the same place: there are few, and they come in order as a rule. */
function place(patches: Patch[], patch: Patch): void {
  let at = patches.length;
  for (let before = patches[at - 1]; before !== undefined; before = patches[at - 1]) {
    if (byPlace(before, patch) <= 0) break;
    at -= 1;
  }
  if (at === patches.length) patches.push(patch);
  else patches.splice(at, 0, patch);
}

function byPlace(a: Patch, b: Patch): number {
  return a.start - b.start || a.end - b.end;
}
