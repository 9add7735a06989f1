/** What programs print for a terminal, as text for a line of ours. */

const COLOUR = /\p{Cc}\[[\d;]*m/gu;

export function withoutColours(text: string): string {
  return text.replace(COLOUR, '');
}

/** The last lines that say something, in one. */
export function lastLines(text: string, count: number): string {
  return withoutColours(text)
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-count)
    .join(' / ');
}
