/** Keys in the environment: `TEP_TLS_CA=FILE`; several values with commas between them. */
import { type Keys, variableName } from './key.ts';
import { nearest } from './nearest.ts';
import type { Problem } from './problem.ts';
import { RANK, type Written } from './written.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface FromEnvironment {
  readonly written: readonly Written[];
  readonly problems: readonly Problem[];
}

/** An empty variable says nothing: that is how many a unit file and container unsets one. */
export function readEnvironment(env: Environment, keys: Keys, folder: string): FromEnvironment {
  const written: Written[] = [];
  for (const [name, { isList, separator = ',' }] of Object.entries(keys)) {
    const where = variableName(name);
    const text = env[where];
    if (text === undefined || text === '') continue;
    const texts = isList ? text.split(separator).map((part) => part.trim()) : [text];
    written.push({ name, texts, where, rank: RANK.ENVIRONMENT, folder });
  }
  return { written, problems: slips(env, keys) };
}

/** Others may use `TEP_…` too, the other agent for one: only what looks like a slip is told. */
function slips(env: Environment, keys: Keys): Problem[] {
  const known = Object.keys(keys).map(variableName);
  const problems: Problem[] = [];
  for (const where of Object.keys(env)) {
    if (!where.startsWith('TEP_') || known.includes(where)) continue;
    const near = nearest(where, known);
    if (near === undefined || !isSlip(where, near)) continue;
    const text = `means nothing here; did you mean ${near}?`;
    problems.push({ severity: 'warning', where, text });
  }
  return problems;
}

/** One letter more, less or other; `TEP_LISTEN` is no slip of `TEP_LINGER`. */
function isSlip(written: string, known: string): boolean {
  return (
    Math.abs(written.length - known.length) <= 2 &&
    nearest(written.slice(4), [known.slice(4)]) !== undefined
  );
}
