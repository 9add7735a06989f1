/** Lines at the bottom of a terminal that are drawn again in place. */
import type { Output } from '../command.ts';

const CLEAR_LINE = '\u001b[2K';
const NARROW_COLUMNS = 80;

export class Screen {
  readonly #output: Output;
  #drawn = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  draw(lines: readonly string[]): void {
    // 0 is what a terminal says that does not know.
    const columns = this.#output.columns || NARROW_COLUMNS;
    const start = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}F`;
    // A line that wrapped would be two, and the next drawing would begin too low.
    const text = lines.map((line) => `${CLEAR_LINE}${line.slice(0, columns)}\n`).join('');
    this.#output.write(start + text);
    this.#drawn = lines.length;
  }
}
