/** The whole result of a bench as a file, for `bench:report` and for programs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Beside the sources; not a part of them. */
const FOLDER = 'results';

export function writeResults(name: string, results: object): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fileOf(name), `${JSON.stringify(results, finite, 1)}\n`);
}

export function readResults(name: string): unknown {
  return resultsIn(readFileSync(fileOf(name), 'utf8'));
}

/** A figure that is null is no number again, so that it meets no aim; null in a list stays. */
export function resultsIn(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) =>
    value === null && !/^\d+$/.test(key) ? Number.NaN : value,
  );
}

function fileOf(name: string): string {
  return join(FOLDER, `${name}.json`);
}

/** JSON knows no infinity: what never came is null. */
function finite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}
