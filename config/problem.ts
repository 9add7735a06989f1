/** What is wrong with a configuration: a value, because people write configurations. */

export interface Problem {
  /** A warning is told and the agent runs; with an error it does not. */
  readonly severity: 'error' | 'warning';
  /** `client.yaml:12`, `--servers`, `TEP_SERVERS`; absent where nothing was written. */
  readonly where?: string;
  /** Of the file, where it is in one. */
  readonly line?: number;
  /** One line: what is wrong, and what would be right. */
  readonly text: string;
}

export function formatProblem({ severity, where, text }: Problem): string {
  const head = where === undefined ? '' : `${where}: `;
  return severity === 'warning' ? `${head}warning: ${text}` : `${head}${text}`;
}

export function hasError(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

/** In the order of the file's lines; what is in none comes first. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
