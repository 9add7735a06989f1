/** What `bench:delay` and `bench:cost` leave in `results/`. A figure that is none is null there, and NaN when read. */
import type { Aim } from '../aims.ts';
import type { Cost } from '../cost/measure.ts';
import type { Subject } from '../cost/scenes.ts';
import type { Result } from '../delay/measure.ts';
import type { Series } from '../delay/series.ts';
import type { Machine } from '../machine.ts';

export interface DelayFile {
  readonly machine: Machine;
  /** Of scenarios, by name. */
  readonly titles: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
  readonly series: readonly Series[];
  /** What the link did and was not told to. */
  readonly doubts: readonly string[];
  readonly aims: readonly Aim[];
}

export interface CostFile {
  readonly machine: Machine;
  readonly titles: Readonly<Record<Subject, string>>;
  readonly costs: readonly Cost[];
  readonly aims: readonly Aim[];
}
