/** Random octets of the operating system, for whatever must not be guessed. */
import { randomBytes } from 'node:crypto';
import type { RandomSource } from '../session/tunnel-end.ts';

export const systemRandom: RandomSource = (length) => randomBytes(length);
