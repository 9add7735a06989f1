/** Repeatable choices: the same seed gives the same replay. xorshift32, good enough for cutting octets. */
import { setU8 } from '../../wire/bytes.ts';

export class Seeded {
  #state: number;

  constructor(seed: number) {
    // Spread, so that neighbouring seeds differ at once; zero would stay zero.
    this.#state = Math.imul(seed + 1, 0x9e37_79b1) | 1;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    let s = this.#state;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.#state = s;
    return (s >>> 0) % limit;
  }

  octets(length: number): Uint8Array {
    const b = new Uint8Array(length);
    for (let i = 0; i < length; i++) setU8(b, i, this.below(256));
    return b;
  }
}
