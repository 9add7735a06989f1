/** What a reload changes: some of it at once, some not before a restart. */
import { isDeepStrictEqual } from 'node:util';
import type { Keys, Values } from './key.ts';
import { Secret } from './secret.ts';

export interface Changes<T extends Keys> {
  /** The new values of keys that a running agent takes, the old ones of the others. */
  readonly settings: Values<T>;
  /** Names of keys. */
  readonly applied: readonly string[];
  readonly needRestart: readonly string[];
}

export function changes<T extends Keys>(keys: T, before: Values<T>, after: Values<T>): Changes<T> {
  const names = Object.keys(keys).filter((name) => !same(before[name], after[name]));
  const applied = names.filter((name) => keys[name]?.reload === 'live');
  const needRestart = names.filter((name) => keys[name]?.reload === 'restart');
  const kept = Object.fromEntries(needRestart.map((name) => [name, before[name]]));
  return { settings: { ...after, ...kept }, applied, needRestart };
}

function same(a: unknown, b: unknown): boolean {
  // Whoever compares the fields of an object does not see the private ones.
  if (a instanceof Secret && b instanceof Secret) return a.equals(b);
  return isDeepStrictEqual(a, b);
}
