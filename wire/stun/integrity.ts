/**
 * MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256, RFC 8489 14.5 and 14.6: an HMAC over the octets
 * before the attribute, with the length field of the header set as if the message ended with the
 * attribute. It is taken over the octets as received, never over a decoded and re-encoded message:
 * padding and unknown attributes count.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { copy, setU16, u16 } from '../bytes.ts';

export type IntegrityAlgorithm = 'sha1' | 'sha256';

/** Octets of the whole HMAC. */
export const HMAC_LEN = { sha1: 20, sha256: 32 } as const;

/** Below this a truncated MESSAGE-INTEGRITY-SHA256 is malformed (RFC 8489 14.6). */
export const MIN_SHA256_LEN = 16;

const HEADER_LEN = 20;
const ATTRIBUTE_HEADER_LEN = 4;

/** Where the integrity attributes of a message are, in octets from its start; 0 = absent. */
export interface IntegrityOffsets {
  readonly integrityAt: number;
  readonly integritySha256At: number;
}

/** The header with the length that the HMAC wants: the caller's octets stay as they are. */
const header = new Uint8Array(HEADER_LEN);

/**
 * Whether the message at `at` carries the attribute of this algorithm and it is right. Compares in
 * constant time. A truncated SHA-256 value is right only from `minSha256Length` octets on; RFC 8489
 * 14.6 wants all 32 unless the usage says otherwise.
 */
export function integrityRight(
  b: Uint8Array,
  at: number,
  offsets: IntegrityOffsets,
  algorithm: IntegrityAlgorithm,
  key: Uint8Array,
  minSha256Length: number = HMAC_LEN.sha256,
): boolean {
  const offset = algorithm === 'sha1' ? offsets.integrityAt : offsets.integritySha256At;
  if (offset === 0) return false;
  const valueAt = at + offset + ATTRIBUTE_HEADER_LEN;
  const length = u16(b, at + offset + 2);
  if (algorithm === 'sha256' && length < minSha256Length) return false;
  const right = integrity(b, at, offset, length, algorithm, key);
  const whole = length === right.length ? right : right.subarray(0, length);
  return timingSafeEqual(whole, b.subarray(valueAt, valueAt + length));
}

/**
 * The HMAC for an attribute with a value of `length` octets that stands (or will stand) `offset`
 * octets after the start of the message. Always the whole HMAC, never truncated.
 */
export function integrity(
  b: Uint8Array,
  at: number,
  offset: number,
  length: number,
  algorithm: IntegrityAlgorithm,
  key: Uint8Array,
): Uint8Array {
  copy(b, at, header, 0, HEADER_LEN);
  setU16(header, 2, offset + ATTRIBUTE_HEADER_LEN + length - HEADER_LEN);
  return createHmac(algorithm, key)
    .update(header)
    .update(b.subarray(at + HEADER_LEN, at + offset))
    .digest();
}
