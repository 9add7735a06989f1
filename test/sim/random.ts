/** Seeded randomness for tests: the same seed gives the same run on every machine. */

export interface SeededRandom {
  /** A whole number in [0, limit). */
  below(limit: number): number;
  /** True with the given chance. */
  chance(probability: number): boolean;
  octets(length: number): Uint8Array;
}

/** xorshift32, seed spread by a multiplication so that small seeds differ at once. */
export function seededRandom(seed: number): SeededRandom {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  const word = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const below = (limit: number): number => Math.floor((word() / 2 ** 32) * limit);
  return {
    below,
    chance: (probability) => word() / 2 ** 32 < probability,
    octets: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}
