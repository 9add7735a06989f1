/** News of a program: the lines of its output that matter, each once. */
import { withoutColours } from '../../lab/plain-text.ts';

const NAME_COLUMNS = 10;

/** What a program has printed so far: all that it was, and as much of its end as is kept. */
export interface Printed {
  readonly output: string;
  readonly printedLength: number;
}

/** Gives the wanted lines that have come since it was asked before: their first group, or all that matched. */
export function follower(name: string, wanted: RegExp, printed: Printed): () => string[] {
  let read = 0;
  return () => {
    const { output, printedLength } = printed;
    const news = output.slice(Math.max(0, output.length - (printedLength - read)));
    const end = news.lastIndexOf('\n') + 1;
    read = printedLength - (news.length - end);
    return withoutColours(news.slice(0, end))
      .split('\n')
      .flatMap((line) => {
        const found = wanted.exec(line);
        return found === null ? [] : [`${name.padEnd(NAME_COLUMNS)}${found[1] ?? found[0]}`];
      });
  };
}
