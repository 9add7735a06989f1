/**
 * Records made without the code under test: the least IPv4, IPv6 and STUN octets that are right where
 * a framing looks, and recognisable where it does not.
 */

/** RFC 8445 clause 11 keep-alive: Binding indication with FINGERPRINT. */
export const INDICATION = Buffer.from(
  '001100082112a442b7e7a701bc34d686fa87dfae80280004eeb49508',
  'hex',
);

/** `words` 32-bit words of header, `length` octets in all; content counts up from the length. */
export function ipv4Record(length: number, words = 5, tos = 0): Buffer {
  const packet = counting(length);
  packet.fill(0x01, 20, Math.min(length, words * 4));
  packet.set([0x40 | words, tos, length >>> 8, length & 0xff, 0x12, 0x34, 0x40, 0x00, 0x40, 17]);
  packet.set([0, 0, 192, 0, 2, 10, 198, 51, 100, 7], 10);
  packet.writeUInt16BE(headerSum(packet, words * 4), 10);
  return packet;
}

export function ipv6Record(length: number, nextHeader = 17): Buffer {
  const packet = counting(length);
  const payload = length - 40;
  packet.set([0x60, 0, 0, 0, payload >>> 8, payload & 0xff, nextHeader, 64]);
  packet.set([0x20, 0x01, 0x0d, 0xb8], 8);
  packet.set([0x20, 0x01, 0x0d, 0xb8], 24);
  return packet;
}

export function stunRecord(length: number, type = 0x0001): Buffer {
  const message = counting(length);
  message.writeUInt16BE(type, 0);
  message.writeUInt16BE(length - 20, 2);
  message.writeUInt32BE(0x2112a442, 4);
  return message;
}

/** One's complement of the one's complement sum, by the arithmetic of RFC 1071 on decimal remainders. */
function headerSum(packet: Buffer, length: number): number {
  let sum = 0;
  for (let at = 0; at < length; at += 2) sum += packet.readUInt16BE(at);
  return 65_535 - (sum % 65_535);
}

function counting(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (length + i) & 0xff));
}
