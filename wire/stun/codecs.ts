/**
 * How the values of STUN attributes are written: one small codec per shape, shared by every attribute
 * of that shape. Values that `decode` gives are copies: they outlive the received octets.
 */
import { Buffer, isUtf8 } from 'node:buffer';
import type { Endpoint } from '../address.ts';
import { copy, octetsOf, setU8, setU16, setU32, u8, u16, u32 } from '../bytes.ts';

/** One entry of PASSWORD-ALGORITHMS (RFC 8489 14.11); parameters are empty for MD5 and SHA-256. */
export interface PasswordAlgorithm {
  readonly algorithm: number;
  readonly parameters: Uint8Array;
}

export interface ErrorValue {
  /** 300–699. */
  readonly code: number;
  readonly reason: string;
}

export interface Codec<T> {
  /**
   * The value of `length` octets at `at`. `undefined`: malformed. `null`: well-formed, but of a kind
   * that we do not know, so that the attribute is to be ignored. The message starts at `messageAt`.
   */
  decode(b: Uint8Array, at: number, length: number, messageAt: number): T | undefined | null;
  /** Octets of the value without padding; RangeError when the value may not be sent. */
  size(value: T): number;
  write(value: T, out: Uint8Array, at: number, messageAt: number): void;
}

const FAMILY_IPV4 = 0x01;
const FAMILY_IPV6 = 0x02;

/** RFC 8489 14.1: reserved octet, family, port, address. XOR'd with cookie and transaction id: 14.2. */
export function endpoint(xor: boolean): Codec<Endpoint> {
  return {
    decode(b, at, length, messageAt) {
      if (length < 4) return undefined;
      const family = u8(b, at + 1);
      if (family !== FAMILY_IPV4 && family !== FAMILY_IPV6) return null;
      const size = family === FAMILY_IPV4 ? 4 : 16;
      if (length !== 4 + size) return undefined;
      const address = octetsOf(b, at + 4, at + 4 + size);
      if (xor) xorWith(address, 0, size, b, messageAt + 4);
      const port = u16(b, at + 2) ^ (xor ? u16(b, messageAt + 4) : 0);
      return { family: size === 4 ? 4 : 6, address, port };
    },
    size(value) {
      const size = value.family === 4 ? 4 : 16;
      if (value.address.length !== size) throw new RangeError('address does not fit its family');
      inRange(value.port, 0xffff);
      return 4 + size;
    },
    write(value, out, at, messageAt) {
      const size = value.address.length;
      setU8(out, at + 1, value.family === 4 ? FAMILY_IPV4 : FAMILY_IPV6);
      setU16(out, at + 2, value.port ^ (xor ? u16(out, messageAt + 4) : 0));
      copy(value.address, 0, out, at + 4, size);
      if (xor) xorWith(out, at + 4, size, out, messageAt + 4);
    },
  };
}

/** Received text may have more octets than what we may send (RFC 8489 14.9, 14.10). */
const MAX_TEXT_RECEIVED = 763;

/**
 * UTF-8. `exact` text takes part in the authentication and must be valid UTF-8, and of no more than
 * `maxCharacters` code points: realm and nonce are sent back as they came. The rest is for human eyes
 * and is read with replacement characters.
 */
export function text(exact: boolean, maxOctets: number, maxCharacters = maxOctets): Codec<string> {
  return {
    decode(b, at, length) {
      if (length > MAX_TEXT_RECEIVED) return undefined;
      const octets = Buffer.from(b.buffer, b.byteOffset + at, length);
      if (exact && !isUtf8(octets)) return undefined;
      const value = octets.toString('utf8');
      return exact && maxCharacters < maxOctets && hasMore(value, maxCharacters)
        ? undefined
        : value;
    },
    size(value) {
      const size = Buffer.byteLength(value, 'utf8');
      if (size > maxOctets) throw new RangeError('text longer than its attribute allows');
      if (hasMore(value, maxCharacters)) {
        throw new RangeError('text of more characters than its attribute allows');
      }
      return size;
    },
    write(value, out, at) {
      const octets = Buffer.from(value, 'utf8');
      copy(octets, 0, out, at, octets.length);
    },
  };
}

/** Whether a text has more code points than `limit`. */
function hasMore(value: string, limit: number): boolean {
  return value.length > limit && [...value].length > limit;
}

/** Octets of any content, `min` to `max` of them. */
export function octets(min: number, max: number): Codec<Uint8Array> {
  return {
    decode: (b, at, length) =>
      length < min || length > max ? undefined : octetsOf(b, at, at + length),
    size(value) {
      if (value.length < min || value.length > max) throw new RangeError('octets do not fit');
      return value.length;
    },
    write: (value, out, at) => copy(value, 0, out, at, value.length),
  };
}

/** An attribute whose presence is its meaning. */
export const flag: Codec<true> = {
  decode: (_b, _at, length) => (length === 0 ? true : undefined),
  size: () => 0,
  write: () => undefined,
};

export const uint32: Codec<number> = fixed(
  4,
  (b, at) => u32(b, at),
  (value, out, at) => setU32(out, at, inRange(value, 0xffffffff)),
);

/** A number in the first 16 bits; the other 16 are zero when sent and ignored when received. */
export const uint16Padded: Codec<number> = fixed(
  4,
  (b, at) => u16(b, at),
  (value, out, at) => setU16(out, at, inRange(value, 0xffff)),
);

export const uint16: Codec<number> = fixed(
  2,
  (b, at) => u16(b, at),
  (value, out, at) => setU16(out, at, inRange(value, 0xffff)),
);

/** A number in the first octet; the other three are zero when sent and ignored when received. */
export const uint8Padded: Codec<number> = fixed(
  4,
  (b, at) => u8(b, at),
  (value, out, at) => setU8(out, at, inRange(value, 0xff)),
);

export const uint64: Codec<bigint> = fixed(
  8,
  (b, at) => (BigInt(u32(b, at)) << 32n) | BigInt(u32(b, at + 4)),
  (value, out, at) => {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new RangeError('not of 64 bits');
    setU32(out, at, Number(value >> 32n));
    setU32(out, at + 4, Number(value & 0xffff_ffffn));
  },
);

/** RFC 8656 18.6: address family in the first octet. */
export const family: Codec<4 | 6> = {
  decode(b, at, length) {
    if (length !== 4) return undefined;
    const number = u8(b, at);
    if (number === FAMILY_IPV4) return 4;
    return number === FAMILY_IPV6 ? 6 : null;
  },
  size: () => 4,
  write: (value, out, at) => setU8(out, at, value === 4 ? FAMILY_IPV4 : FAMILY_IPV6),
};

/** RFC 8489 14.8: 21 bits reserved, class of 3 bits, number of 8 bits, reason phrase. */
export const error: Codec<ErrorValue> = {
  decode(b, at, length) {
    if (length < 4 || length > 4 + MAX_TEXT_RECEIVED) return undefined;
    const hundreds = u8(b, at + 2) & 0x07;
    const rest = u8(b, at + 3);
    if (hundreds < 3 || hundreds > 6 || rest > 99) return undefined;
    const reason = Buffer.from(b.buffer, b.byteOffset + at + 4, length - 4).toString('utf8');
    return { code: hundreds * 100 + rest, reason };
  },
  size(value) {
    if (!(value.code >= 300 && value.code <= 699)) throw new RangeError('error code not 300–699');
    return 4 + REASON.size(value.reason);
  },
  write(value, out, at, messageAt) {
    setU8(out, at + 2, Math.floor(value.code / 100));
    setU8(out, at + 3, value.code % 100);
    REASON.write(value.reason, out, at + 4, messageAt);
  },
};
const REASON = text(false, 508, 127);

/** RFC 8489 14.13: attribute types of 16 bits each. */
export const types: Codec<readonly number[]> = {
  decode(b, at, length) {
    if (length % 2 !== 0) return undefined;
    return Array.from({ length: length / 2 }, (_, i) => u16(b, at + 2 * i));
  },
  size: (value) => value.length * 2,
  write(value, out, at) {
    value.forEach((type, i) => {
      setU16(out, at + 2 * i, inRange(type, 0xffff));
    });
  },
};

/** RFC 8489 14.11 and 14.12: number, length of the parameters, parameters padded to 4. */
export const passwordAlgorithm: Codec<PasswordAlgorithm> = {
  decode(b, at, length) {
    const list = passwordAlgorithms.decode(b, at, length, 0);
    return list?.length === 1 ? list[0] : undefined;
  },
  size: (value) => 4 + padded(value.parameters.length),
  write(value, out, at) {
    setU16(out, at, inRange(value.algorithm, 0xffff));
    setU16(out, at + 2, value.parameters.length);
    copy(value.parameters, 0, out, at + 4, value.parameters.length);
  },
};

export const passwordAlgorithms: Codec<readonly PasswordAlgorithm[]> = {
  decode(b, at, length) {
    const list: PasswordAlgorithm[] = [];
    const end = at + length;
    while (at < end) {
      if (end - at < 4) return undefined;
      const size = u16(b, at + 2);
      if (size > end - at - 4) return undefined;
      list.push({ algorithm: u16(b, at), parameters: octetsOf(b, at + 4, at + 4 + size) });
      at += 4 + padded(size);
    }
    return list;
  },
  size: (value) => value.reduce((sum, entry) => sum + passwordAlgorithm.size(entry), 0),
  write(value, out, at, messageAt) {
    for (const entry of value) {
      passwordAlgorithm.write(entry, out, at, messageAt);
      at += passwordAlgorithm.size(entry);
    }
  },
};

/** A value of a fixed number of octets, reserved bits zero. */
export function fixed<T>(
  length: number,
  read: (b: Uint8Array, at: number) => T,
  write: (value: T, out: Uint8Array, at: number) => void,
): Codec<T> {
  return {
    decode: (b, at, n) => (n === length ? read(b, at) : undefined),
    size: () => length,
    write,
  };
}

/** `length` with the 0–3 octets that follow it up to the next multiple of 4. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}

export function inRange(value: number, max: number): number {
  if (!(Number.isInteger(value) && value >= 0 && value <= max)) {
    throw new RangeError(`${value} is not within 0–${max}`);
  }
  return value;
}

/** The pad is the cookie followed by the transaction id: octets 4–19 of the message. */
function xorWith(b: Uint8Array, at: number, n: number, pad: Uint8Array, padAt: number): void {
  for (let i = 0; i < n; i++) setU8(b, at + i, u8(b, at + i) ^ u8(pad, padAt + i));
}
