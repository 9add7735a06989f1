/** Addresses that show the inside of a network (M-17): which they are, and where they stand. */
import { u8, u16, u32 } from '../wire/bytes.ts';
import { type Address, addressText, readAddress } from './fields.ts';
import type { SdpInput, SdpProblem } from './lines.ts';
import { read } from './read.ts';

/**
 * RFC 1918, shared space of RFC 6598, link-local, unique local; also inside ::ffff:0:0/96. Loopback is
 * not among them: programs write 127.0.0.1 into o= to show nothing.
 */
export function isPrivate({ family, address }: Address): boolean {
  if (family === 4) return isPrivateIpv4(u32(address, 0));
  if ((u8(address, 0) & 0xfe) === 0xfc || (u16(address, 0) & 0xffc0) === 0xfe80) return true;
  const mapped = u32(address, 0) === 0 && u32(address, 4) === 0 && u32(address, 8) === 0xffff;
  return mapped && isPrivateIpv4(u32(address, 12));
}

function isPrivateIpv4(n: number): boolean {
  return PRIVATE_IPV4.some(([network, bits]) => n >>> (32 - bits) === network >>> (32 - bits));
}

export function isLoopback({ family, address }: Address): boolean {
  if (family === 4) return u8(address, 0) === 127;
  return address.every((octet, i) => octet === (i === 15 ? 1 : 0));
}

/** Network and length of its prefix. */
const PRIVATE_IPV4 = [
  [0x0a00_0000, 8],
  [0xac10_0000, 12],
  [0xc0a8_0000, 16],
  [0x6440_0000, 10],
  [0xa9fe_0000, 16],
] as const;

export interface PrivateAddress {
  /** Counted from 1. */
  readonly line: number;
  /** `c`, `o`, or the attribute: `a=candidate`. */
  readonly field: string;
  readonly address: string;
}

/**
 * Every private address in the text, wherever it stands, m= lines with port 0 and free text (`cname`)
 * included: what a caller checks before a description leaves the network.
 */
export function privateAddressesLeft(input: SdpInput): readonly PrivateAddress[] | SdpProblem {
  const sdp = read(input);
  if (sdp.type === 'sdp-problem') return sdp;
  return sdp.index.lines.flatMap((line) => {
    const field = line.type === 'a' ? `a=${line.name}` : line.type;
    const found = addressesIn(line.text.slice(2)).filter(isPrivate).map(addressText);
    return [...new Set(found)].map((address) => ({ line: line.number, field, address }));
  });
}

const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)/g;
/** Looked for only where a word begins: at every letter of a long word it would be square work. */
const IPV6 = /(?<![0-9A-Za-z])[0-9A-Za-z]*:[0-9A-Za-z:.]+/g;

/** Whether a line shows the inside of a network. */
export function namesPrivate(text: string): boolean {
  return addressesIn(text.slice(2)).some(isPrivate);
}

function addressesIn(text: string): Address[] {
  const words = [...text.matchAll(IPV4)].map((m) => m[0]);
  for (const [word] of text.matchAll(IPV6)) {
    // `cname:fd00::1`: a name may stand before the first colon.
    words.push(word, word.slice(word.indexOf(':') + 1));
  }
  return words.map((word) => readAddress(word)).filter((address) => address !== undefined);
}
