/** What was aimed at, and whether it was reached: the last lines of a bench. */

export interface Aim {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  readonly bound: 'at most' | 'at least' | 'below';
  readonly aim: number;
}

export function isMet({ figure, bound, aim }: Aim): boolean {
  if (bound === 'at least') return figure >= aim;
  return bound === 'below' ? figure < aim : figure <= aim;
}

/** A line for each; the exit status becomes 1 when one was missed. */
export function concludeAims(aims: readonly Aim[], asJson: boolean): void {
  if (!asJson) console.log('');
  for (const aim of aims) console.log(asJson ? jsonLine(aim) : textLine(aim));
  if (!aims.every(isMet)) process.exitCode = 1;
}

function textLine(aim: Aim): string {
  const { name, figure, unit, bound } = aim;
  const shown = `${plain(figure)} ${unit}, aim: ${bound} ${plain(aim.aim)}`;
  return `${name.padEnd(62)} ${shown}: ${isMet(aim) ? 'met' : 'missed'}`;
}

function jsonLine(aim: Aim): string {
  return JSON.stringify({
    ...aim,
    aim: aim.name,
    limit: aim.aim,
    name: undefined,
    met: isMet(aim),
  });
}

function plain(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : 'never';
}
