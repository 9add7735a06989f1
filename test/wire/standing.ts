/**
 * The standing tests of a header module or reader: every prefix of every vector, octets outside that
 * must not matter, and 10,000 seeded mutations. `look` gives everything that the module under test says
 * about the octets [at, end); it is called only with octets that `check` accepts, unless it checks
 * itself.
 */
import test from 'ava';
import { hex, POISON } from './packets.ts';

type Check = (b: Uint8Array, at: number, end: number) => number;
type Look = (b: Uint8Array, at: number, end: number) => unknown;

const MUTATIONS = 10_000;
const BORDER = 64;
const OTHER_POISON = 0x5a;

export function standingTests(
  name: string,
  texts: readonly (string | Uint8Array)[],
  check: Check,
  look: Look,
): void {
  const octets = texts.map((text) => (typeof text === 'string' ? hex(text) : text));

  test(`${name}: vectors are accepted and every prefix is judged by itself alone`, (t) => {
    for (const whole of octets) {
      t.is(judge(check, look, whole).fault, 0);
      for (let n = 0; n < whole.length; n++) {
        const verdict = judge(check, look, whole.subarray(0, n));
        if (verdict.problem !== '') t.fail(`${verdict.problem} after ${n} octets`);
      }
      t.not(judge(check, look, whole.subarray(0, 0)).fault, 0);
      t.not(judge(check, look, whole.subarray(0, 1)).fault, 0);
    }
  });

  test(`${name}: 10,000 seeded mutations neither throw nor look outside`, (t) => {
    const random = generator(20_261_121);
    let refused = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const mutant = mutate(octets[i % octets.length] ?? new Uint8Array(0), random);
      const verdict = judge(check, look, mutant);
      if (verdict.problem !== '')
        t.fail(`${verdict.problem}: ${Buffer.from(mutant).toString('hex')}`);
      if (verdict.fault !== 0) refused += 1;
    }
    t.true(refused > 0 && refused < MUTATIONS);
  });
}

/** xorshift32: small, seeded, the same on every machine. */
export function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** One to four octets changed, or the end cut off. */
export function mutate(octets: Uint8Array, random: (below: number) => number): Uint8Array {
  const mutant = Uint8Array.from(octets);
  if (random(4) === 0) return mutant.subarray(0, random(octets.length + 1));
  for (let n = random(4); n >= 0; n--) mutant[random(octets.length)] = random(256);
  return mutant;
}

interface Verdict {
  readonly fault: number;
  readonly problem: string;
}

/** Looks at the same octets between two different borders: any difference was read from outside. */
function judge(check: Check, look: Look, octets: Uint8Array): Verdict {
  const [fault, seen, before] = between(check, look, octets, POISON);
  const [otherFault, otherSeen, otherBefore] = between(check, look, octets, OTHER_POISON);
  if (!before || !otherBefore) return { fault, problem: 'wrote' };
  const same = fault === otherFault && seen === otherSeen;
  return { fault, problem: same ? '' : 'read outside' };
}

function between(
  check: Check,
  look: Look,
  octets: Uint8Array,
  poison: number,
): [number, string, boolean] {
  const b = new Uint8Array(octets.length + 2 * BORDER).fill(poison);
  b.set(octets, BORDER);
  const untouched = Buffer.from(b);
  const fault = check(b, BORDER, BORDER + octets.length);
  const seen = fault === 0 ? look(b, BORDER, BORDER + octets.length) : 0;
  return [fault, JSON.stringify(seen), untouched.equals(b)];
}
