/**
 * What a destination really reaches. Many IPv6 addresses stand for an IPv4 one, and a gateway or the
 * own host delivers there; an access rule that looks only at the IPv6 text can be walked around. Use:
 *
 *     const kind = reach(b, at, length, out);
 *     if (isDisguise(kind)) judge the four octets in `out`, with `reach` again for what is special
 *
 * An IPv4 address is never a disguise, so two calls always end it.
 */
import { u8, u16, u32 } from './bytes.ts';

export const KINDS = {
  ORDINARY: 0,
  /** Stand for an IPv4 address, which `reach` writes. */
  MAPPED: 1,
  TRANSLATED: 2,
  COMPATIBLE: 3,
  SIX_TO_FOUR: 4,
  TEREDO: 5,
  ISATAP: 6,
  NAT64: 7,
  /**
   * Stands for an IPv4 address whose place only the operator of the NAT64 knows (RFC 8215): nothing is
   * written, and whoever has rules refuses.
   */
  NAT64_LOCAL: 8,
  /** Never a media address. */
  UNSPECIFIED: 9,
  LOOPBACK: 10,
  LINK_LOCAL: 11,
  MULTICAST: 12,
  BROADCAST: 13,
  RESERVED: 14,
} as const;
export type Kind = (typeof KINDS)[keyof typeof KINDS];

/** Whether the address stands for another one. */
export function isDisguise(kind: Kind): boolean {
  return kind >= KINDS.MAPPED && kind <= KINDS.NAT64_LOCAL;
}

/** Whether no media address can be of this kind, whatever the configuration says. */
export function isSpecial(kind: Kind): boolean {
  return kind >= KINDS.UNSPECIFIED;
}

/** Whether the address can be that of one host, this one included. */
export function isHost(kind: Kind): boolean {
  return !isSpecial(kind) || kind === KINDS.LOOPBACK || kind === KINDS.LINK_LOCAL;
}

/**
 * Kind of the address of `length` octets (4 or 16) at `at`. For a disguise the IPv4 address behind it is
 * written to `out`; otherwise `out` is left alone.
 */
export function reach(b: Uint8Array, at: number, length: number, out: Uint8Array): Kind {
  if (length === 4) return reach4(b, at);
  if (length !== 16) throw new RangeError('an address has 4 or 16 octets');
  const head = u32(b, at);
  if (head === 0) return reachZeros(b, at, out);
  if (head === 0x20010000) return reveal(KINDS.TEREDO, b, at + 12, 0xff, out);
  if (head >>> 16 === 0x2002) return reveal(KINDS.SIX_TO_FOUR, b, at + 2, 0, out);
  if (head === 0x0064ff9b) return reachNat64(b, at, out);
  if (head >>> 24 === 0xff) return KINDS.MULTICAST;
  if (head >>> 22 === 0xfe80 >> 6) return KINDS.LINK_LOCAL;
  // Site-local, given up by RFC 3879.
  if (head >>> 22 === 0xfec0 >> 6) return KINDS.RESERVED;
  // RFC 5214 section 6.1: 0000:5efe, or 0200:5efe when the IPv4 address is a global one.
  const isatap = (u32(b, at + 8) & ~0x02000000) === 0x00005efe;
  return isatap ? reveal(KINDS.ISATAP, b, at + 12, 0, out) : KINDS.ORDINARY;
}

function reach4(b: Uint8Array, at: number): Kind {
  const first = u8(b, at);
  // All of 0/8 is "this host" (RFC 6890); some systems deliver it to themselves.
  if (first === 0) return KINDS.UNSPECIFIED;
  if (first === 127) return KINDS.LOOPBACK;
  if (first === 169 && u8(b, at + 1) === 254) return KINDS.LINK_LOCAL;
  if (first < 224) return KINDS.ORDINARY;
  if (first < 240) return KINDS.MULTICAST;
  return u32(b, at) === 0xffffffff ? KINDS.BROADCAST : KINDS.RESERVED;
}

/** Addresses under ::/32: RFC 4291 sections 2.5.2, 2.5.3 and 2.5.5, RFC 2765 section 2.1. */
function reachZeros(b: Uint8Array, at: number, out: Uint8Array): Kind {
  const second = u32(b, at + 4);
  const third = u32(b, at + 8);
  if (second !== 0) return KINDS.RESERVED;
  if (third === 0x0000ffff) return reveal(KINDS.MAPPED, b, at + 12, 0, out);
  if (third === 0xffff0000) return reveal(KINDS.TRANSLATED, b, at + 12, 0, out);
  if (third !== 0) return KINDS.RESERVED;
  const last = u32(b, at + 12);
  if (last === 0) return KINDS.UNSPECIFIED;
  return last === 1 ? KINDS.LOOPBACK : reveal(KINDS.COMPATIBLE, b, at + 12, 0, out);
}

/** 64:ff9b::/96 (RFC 6052 section 2.1) and 64:ff9b:1::/48 (RFC 8215). */
function reachNat64(b: Uint8Array, at: number, out: Uint8Array): Kind {
  if (u16(b, at + 4) === 1) return KINDS.NAT64_LOCAL;
  const wellKnown = u32(b, at + 4) === 0 && u32(b, at + 8) === 0;
  return wellKnown ? reveal(KINDS.NAT64, b, at + 12, 0, out) : KINDS.RESERVED;
}

/** Writes the four octets, each with the bits of `mask` turned (Teredo hides them so, RFC 4380). */
function reveal(kind: Kind, b: Uint8Array, at: number, mask: number, out: Uint8Array): Kind {
  for (let i = 0; i < 4; i++) out[i] = u8(b, at + i) ^ mask;
  return kind;
}
