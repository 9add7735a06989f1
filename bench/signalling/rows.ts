/** What a bench of signalling found out: a figure with its aim. */
export interface Row {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  /** At most. */
  readonly aim: number;
}

export interface Bench {
  /** Why it cannot be run here; undefined when it can. */
  readonly missing: string | undefined;
  run(plan: Plan): Promise<readonly Row[]>;
}

export interface Plan {
  readonly callsPerSecond: number;
  readonly windows: number;
  readonly windowMs: number;
  /** Figures beside those with an aim. */
  readonly tell: (name: string, figures: Readonly<Record<string, number>>) => void;
}
