/** Files that are not captures but are given as such: what they are, and what to do. */
import type { Buffer } from 'node:buffer';

const KNOWN: readonly { readonly magic: string; readonly name: string }[] = [
  { magic: '1f8b', name: 'compressed with gzip; unpack it first (gunzip)' },
  { magic: '28b52ffd', name: 'compressed with zstd; unpack it first (unzstd)' },
  { magic: 'fd377a585a00', name: 'compressed with xz; unpack it first (unxz)' },
  { magic: '04224d18', name: 'compressed with lz4; unpack it first (unlz4)' },
  { magic: '425a68', name: 'compressed with bzip2; unpack it first (bunzip2)' },
  { magic: '504b0304', name: 'a zip archive; unpack it first (unzip)' },
  { magic: '736e6f6f70000000', name: 'a snoop capture; editcap -F pcap converts it' },
  { magic: '474d4255', name: 'a Network Monitor capture; editcap -F pcap converts it' },
];

/** How much of the file is looked at to call it text. */
const TEXT_SAMPLE_LEN = 256;

export function nameOfForeignFile(b: Buffer, filled: number): string {
  const start = b.toString('hex', 0, Math.min(filled, TEXT_SAMPLE_LEN));
  const known = KNOWN.find(({ magic }) => start.startsWith(magic));
  if (known !== undefined) return known.name;
  const sample = b.subarray(0, Math.min(filled, TEXT_SAMPLE_LEN));
  if (sample.every(isText)) return 'a text file, not a capture';
  return `not a capture (it begins with ${start.slice(0, 8)}); pcap and pcapng are read`;
}

/** Printable ASCII, white space, or part of a UTF-8 character. */
function isText(octet: number): boolean {
  return octet >= 0x20 ? octet !== 0x7f : octet >= 0x09 && octet <= 0x0d;
}
