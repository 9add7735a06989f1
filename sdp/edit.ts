/**
 * Changes to single lines of a session description. What is not named here comes out octet by octet as
 * it went in, line ends and their absence at the end included.
 */
import { type Line, type LineIndex, linesOf, octetsOf, type Section } from './lines.ts';

export class Edit {
  readonly #index: LineIndex;
  /** New text of a line by its number; undefined removes it. */
  readonly #changed = new Map<number, string | undefined>();
  readonly #added = new Map<number, string[]>();

  constructor(index: LineIndex) {
    this.#index = index;
  }

  replace(line: Line, text: string): void {
    if (text !== line.text) this.#changed.set(line.number, text);
  }

  remove(line: Line): void {
    this.#changed.set(line.number, undefined);
  }

  addAfter(line: Line, text: string): void {
    const texts = this.#added.get(line.number);
    if (texts === undefined) this.#added.set(line.number, [text]);
    else texts.push(text);
  }

  /** At the end of a section, before empty lines that may stand there. */
  append(section: Section, text: string): void {
    const last = linesOf(this.#index, section).findLast((line) => line.type !== '');
    if (last !== undefined) this.addAfter(last, text);
  }

  get changes(): number {
    return this.#changed.size + this.#added.size;
  }

  /** The edited text as octets, owned by the caller. */
  octets(): Uint8Array {
    const { lines, text } = this.#index;
    if (this.changes === 0) return octetsOf(text);
    const usual = lines.find((line) => line.eol !== '')?.eol ?? '\r\n';
    const out: string[] = [];
    for (const line of lines) {
      const eol = line.eol === '' ? usual : line.eol;
      const kept = this.#changed.has(line.number) ? this.#changed.get(line.number) : line.text;
      if (kept !== undefined) out.push(kept, eol);
      for (const added of this.#added.get(line.number) ?? []) out.push(added, eol);
    }
    if (lines.at(-1)?.eol === '') out.pop();
    return octetsOf(out.join(''));
  }
}
