/** FINGERPRINT, RFC 8489 14.7: CRC-32 (ITU V.42) of everything before it, XOR 5354554E ("STUN"). */
import { setU32, u8, u32 } from '../bytes.ts';

const XOR = 0x5354554e;
const POLYNOMIAL = 0xedb88320;
const TABLE = crcTable();

/** The value for the octets [from, to), whose length field already counts the attribute itself. */
export function fingerprint(b: Uint8Array, from: number, to: number): number {
  let crc = 0xffffffff;
  for (let i = from; i < to; i++) {
    crc = u32(TABLE, ((crc ^ u8(b, i)) & 0xff) * 4) ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff ^ XOR) >>> 0;
}

/** 256 words of 32 bits, octet by octet. */
function crcTable(): Uint8Array {
  const table = new Uint8Array(256 * 4);
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    setU32(table, n * 4, crc);
  }
  return table;
}
