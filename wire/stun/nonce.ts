/**
 * Nonces that the server need not remember (RFC 8489 9.2, RFC 7616 5.4):
 *
 *    obMatJos2 | 4 characters: 24 feature bits | 32 characters: time (6 octets), MAC (18 octets)
 *
 * All in base64. The MAC is over features, time and the client's address and port, so that a nonce is
 * good for one client, until its time is over, and its features cannot be taken away on the way.
 */
import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Endpoint } from '../address.ts';
import { setU16, setU32, u16, u32 } from '../bytes.ts';

const COOKIE = 'obMatJos2';
const FEATURES_END = COOKIE.length + 4;
const TIME_LEN = 6;
const MAC_LEN = 18;
const NONCE_LEN = FEATURES_END + ((TIME_LEN + MAC_LEN) / 3) * 4;

/**
 * Security features (RFC 8489 18.1) of 24 bits, bit 0 leftmost. The vector B.1 of the same RFC, and
 * implementations after it, count from the right; RIGHTMOST is that other reading.
 */
export const FEATURES = { PASSWORD_ALGORITHMS: 0x800000, ANONYMITY: 0x400000 } as const;
const RIGHTMOST = { PASSWORD_ALGORITHMS: 0x000001, ANONYMITY: 0x000002 } as const;

export interface SecurityFeatures {
  readonly passwordAlgorithms: boolean;
  readonly anonymity: boolean;
}

/** A fresh nonce for this client at this time in milliseconds. */
export function makeNonce(
  secret: Uint8Array,
  features: SecurityFeatures,
  client: Endpoint,
  now: number,
): string {
  const bits =
    (features.passwordAlgorithms ? FEATURES.PASSWORD_ALGORITHMS : 0) |
    (features.anonymity ? FEATURES.ANONYMITY : 0);
  const octets = Buffer.from([bits >>> 16, bits >>> 8, bits]);
  return seal(secret, COOKIE + octets.toString('base64'), client, now);
}

/** Whether we made this nonce for this client and its time is not over. */
export function nonceFresh(
  nonce: string,
  secret: Uint8Array,
  client: Endpoint,
  now: number,
  lifetimeMs: number,
): boolean {
  const received = Buffer.from(nonce, 'utf8');
  if (received.length !== NONCE_LEN) return false;
  const body = Buffer.from(nonce.slice(FEATURES_END), 'base64');
  if (body.length !== TIME_LEN + MAC_LEN) return false;
  const made = u16(body, 0) * 2 ** 32 + u32(body, 2);
  const right = Buffer.from(seal(secret, nonce.slice(0, FEATURES_END), client, made), 'utf8');
  const ours = right.length === received.length && timingSafeEqual(right, received);
  return ours && made <= now && now - made < lifetimeMs;
}

/**
 * The features that a nonce announces; `undefined`: it has no cookie, so its server is of RFC 5389.
 * The other count of the bits is believed only together with the attribute PASSWORD-ALGORITHMS:
 * without it, it would be a reason to distrust servers that mean nothing by it.
 */
export function nonceFeatures(
  nonce: string,
  passwordAlgorithmsPresent: boolean,
): SecurityFeatures | undefined {
  if (!nonce.startsWith(COOKIE)) return undefined;
  const text = nonce.slice(COOKIE.length, FEATURES_END);
  if (!/^[A-Za-z0-9+/]{4}$/.test(text)) return undefined;
  const bits = Buffer.from(text, 'base64').readUIntBE(0, 3);
  const right = passwordAlgorithmsPresent ? bits : 0;
  return {
    passwordAlgorithms:
      (bits & FEATURES.PASSWORD_ALGORITHMS) !== 0 || (right & RIGHTMOST.PASSWORD_ALGORITHMS) !== 0,
    anonymity: (bits & FEATURES.ANONYMITY) !== 0 || (right & RIGHTMOST.ANONYMITY) !== 0,
  };
}

function seal(secret: Uint8Array, prefix: string, client: Endpoint, time: number): string {
  const body = Buffer.alloc(TIME_LEN + MAC_LEN);
  setU16(body, 0, Math.floor(time / 2 ** 32));
  setU32(body, 2, time >>> 0);
  const port = Buffer.from([client.port >>> 8, client.port]);
  const mac = createHmac('sha256', secret)
    .update(prefix, 'utf8')
    .update(body.subarray(0, TIME_LEN))
    .update(port)
    .update(client.address)
    .digest();
  mac.copy(body, TIME_LEN, 0, MAC_LEN);
  return prefix + body.toString('base64');
}
