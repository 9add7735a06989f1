/** Our numbers against the tables of the RFCs, typed from their text into a file of their own. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { attributeName } from '../../../wire/stun/attributes.ts';
import { FEATURES } from '../../../wire/stun/nonce.ts';
import {
  ATTRIBUTES,
  COMPREHENSION_OPTIONAL,
  METHODS,
  PASSWORD_ALGORITHMS,
  REASONS,
} from '../../../wire/stun/registry.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');
const ROWS = readFileSync(resolve(ROOT, 'test/vectors/stun/parameters.csv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(','));

/** [number, name] of one registry, in the order of the numbers. */
function registry(name: string): [number, string][] {
  return ROWS.filter((row) => row[0] === name)
    .map((row): [number, string] => [Number(row[1]), row[2] ?? ''])
    .sort(byNumber);
}

function byNumber(a: readonly [number, string], b: readonly [number, string]): number {
  return a[0] - b[0];
}

function ours(table: Readonly<Record<string, number>>): [number, string][] {
  return Object.entries(table)
    .map(([name, number]): [number, string] => [number, name])
    .sort(byNumber);
}

test('[B5] attributes are those of the RFCs, and the five of tep-wire', (t) => {
  const isOurs = (number: number) => number >= 0xd3e0 && number <= 0xd3e4;
  t.deepEqual(
    ours(ATTRIBUTES).filter(([number]) => !isOurs(number)),
    registry('attribute'),
  );
  t.deepEqual(
    ours(ATTRIBUTES).filter(([number]) => isOurs(number)),
    [
      [0xd3e0, 'TEP-TUNNEL'],
      [0xd3e1, 'TEP-BINDING'],
      [0xd3e2, 'TEP-CLOSE'],
      [0xd3e3, 'TEP-STRIPE'],
      [0xd3e4, 'TEP-STATS'],
    ],
  );
});

test('[W-4] our own attributes are comprehension-optional, of the range for everybody', (t) => {
  for (const [name, number] of Object.entries(ATTRIBUTES)) {
    if (name.startsWith('TEP-')) t.true(number >= 0xc000 && number >= COMPREHENSION_OPTIONAL);
  }
});

test('[B5] every attribute but integrity and fingerprint has a codec under its number', (t) => {
  for (const [name, number] of Object.entries(ATTRIBUTES)) {
    const withMessage = /^(?:MESSAGE-INTEGRITY.*|FINGERPRINT)$/.test(name);
    t.is(
      attributeName(number),
      withMessage ? undefined : (name as ReturnType<typeof attributeName>),
    );
  }
});

test('[B6] methods are those of the RFCs', (t) => {
  const words = (name: string) => name.toLowerCase().replaceAll('_', '');
  t.deepEqual(
    ours(METHODS).map(([number, name]) => [number, words(name)]),
    registry('method').map(([number, name]) => [number, words(name)]),
  );
});

test('[B5] error codes and their reasons are those of the RFCs', (t) => {
  t.deepEqual(
    Object.entries(REASONS).map(([code, reason]) => [Number(code), reason]),
    registry('error'),
  );
});

test('[B5] password algorithms and security features are those of RFC 8489', (t) => {
  t.deepEqual(ours(PASSWORD_ALGORITHMS), [
    [1, 'MD5'],
    [2, 'SHA256'],
  ]);
  t.deepEqual(
    registry('password algorithm').map(([number]) => number),
    [1, 2],
  );
  t.deepEqual(
    ours(FEATURES).map(([number]) => number),
    registry('security feature').map(([number]) => number),
  );
});
