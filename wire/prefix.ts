/** Address prefixes, `10.0.0.0/8` or a single address (RFC 4632 section 3.1, RFC 4291 section 2.3). */
import { type Family, formatAddress, parseAddress } from './address.ts';
import { u8 } from './bytes.ts';

export interface Prefix {
  readonly family: Family;
  /** 4 or 16 octets; those after the prefix are zero. */
  readonly address: Uint8Array;
  /** In bits. */
  readonly length: number;
}

const DECIMAL_LENGTH = /^(?:0|[1-9][0-9]{0,2})$/;

/**
 * Undefined when the text is no prefix. `10.1.2.3/8` is refused too: an access rule that silently means
 * more than what was written is a trap.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = address.length * 8;
  const lengthText = slash < 0 ? String(bits) : text.slice(slash + 1);
  const length = Number(lengthText);
  if (!DECIMAL_LENGTH.test(lengthText) || length > bits || hasHostBits(address, length)) {
    return undefined;
  }
  return { family: address.length === 4 ? 4 : 6, address, length };
}

/** Whether the address of `length` octets (4 or 16) at `at` is inside. Families never match each other. */
export function prefixContains(prefix: Prefix, b: Uint8Array, at: number, length: number): boolean {
  if (prefix.address.length !== length) return false;
  const whole = prefix.length >> 3;
  for (let i = 0; i < whole; i++) if (u8(prefix.address, i) !== u8(b, at + i)) return false;
  const rest = prefix.length & 7;
  if (rest === 0) return true;
  return ((u8(prefix.address, whole) ^ u8(b, at + whole)) & (0xff00 >> rest) & 0xff) === 0;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address, 0, prefix.address.length)}/${prefix.length}`;
}

function hasHostBits(address: Uint8Array, length: number): boolean {
  return address.some((octet, i) => {
    const kept = Math.min(8, Math.max(0, length - 8 * i));
    return (octet & (0xff >> kept)) !== 0;
  });
}
