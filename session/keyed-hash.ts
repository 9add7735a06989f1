/**
 * HalfSipHash-1-3: a 32-bit hash under a 64-bit secret key. Peers choose addresses and ports, so a
 * table that hashes without a secret can be filled with colliding keys on purpose (G-22). The hash is
 * signed: an unsigned one above 2^31 would cost an allocation each time.
 *
 * The message hashed is `address octets ‖ 3 octets`, where the last three (port and protocol) share
 * the closing word with the message length, as the algorithm has it. Words are read big-endian.
 */
import { u32 } from '../wire/bytes.ts';

const KEY_LEN = 8;

const FINAL_ROUNDS = 3;

/** The key as its two words. */
export interface HashKey {
  readonly first: number;
  readonly second: number;
}

/** `octets` are KEY_LEN. */
export function hashKey(octets: Uint8Array): HashKey {
  if (octets.length !== KEY_LEN)
    throw new RangeError(`seed of ${octets.length} octets, not ${KEY_LEN}`);
  return { first: u32(octets, 0) | 0, second: u32(octets, 4) | 0 };
}

/** `tail` is below 2^24; `addressLength` is a multiple of 4. */
export function keyedHash(
  key: HashKey,
  b: Uint8Array,
  addressAt: number,
  addressLength: number,
  tail: number,
): number {
  const words = addressLength >>> 2;
  const last = ((addressLength + 3) << 24) | tail;
  let v0 = key.first;
  let v1 = key.second;
  let v2 = 0x6c796765 ^ v0;
  let v3 = 0x74656462 ^ v1;
  const rounds = words + 1 + FINAL_ROUNDS;
  for (let i = 0; i < rounds; i++) {
    const word = i < words ? u32(b, addressAt + i * 4) : i === words ? last : 0;
    if (i === words + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
