/**
 * An independent second opinion for the tests of wire/: builds packets and checksums its own way (an
 * array of numbers, remainder by 65535) and shares no line with the code under test.
 */

import { readFileSync } from 'node:fs';

/** Octet used around everything under test: a read or write outside changes the outcome. */
export const POISON = 0xa5;
const BORDER = 64;

/** Hex text with spaces and line breaks to octets. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new RangeError('not hex');
  return Uint8Array.from(digits.match(/../g) ?? [], (d) => Number.parseInt(d, 16));
}

/** The octets in the middle of a poisoned buffer. */
export function poisoned(octets: Uint8Array): { b: Uint8Array; at: number; end: number } {
  const b = new Uint8Array(octets.length + 2 * BORDER).fill(POISON);
  b.set(octets, BORDER);
  return { b, at: BORDER, end: BORDER + octets.length };
}

export function bordersIntact(b: Uint8Array, at: number, end: number): boolean {
  return b.every((octet, i) => (i >= at && i < end) || octet === POISON);
}

/**
 * The Internet checksum as arithmetic: the 16-bit words as one long number, remainder by 65535. A sum
 * that is not all zeros never comes out as zero, which is what the one's complement sum does.
 */
export function oracleChecksum(...parts: readonly Iterable<number>[]): number {
  let value = 0;
  for (const part of parts) {
    const octets = [...part];
    if (octets.length % 2 === 1) octets.push(0);
    octets.forEach((octet, i) => {
      value += octet * (i % 2 === 0 ? 256 : 1);
    });
  }
  if (value === 0) return 0xffff;
  const rest = value % 65_535;
  return 65_535 - (rest === 0 ? 65_535 : rest);
}

export interface Flow {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

const word = (v: number): number[] => [v >> 8, v & 0xff];

/** UDP datagram with a right checksum, or with 0 when `absent`. */
export function udpDatagram(flow: Flow, payload: Uint8Array, absent = false): Uint8Array {
  const length = 8 + payload.length;
  const ports = [...word(flow.sourcePort), ...word(flow.destinationPort)];
  const bare = [...ports, ...word(length), 0, 0, ...payload];
  const sum = oracleChecksum(flow.source, flow.destination, [0, 17], word(length), bare);
  bare.splice(6, 2, ...word(absent ? 0 : sum === 0 ? 0xffff : sum));
  return Uint8Array.from(bare);
}

/** TCP segment with 4 octets of options and a right checksum. */
export function tcpSegment(flow: Flow, payload: Uint8Array): Uint8Array {
  const ports = [...word(flow.sourcePort), ...word(flow.destinationPort)];
  const rest = [1, 2, 3, 4, 5, 6, 7, 8, 0x60, 0x18, 0x20, 0, 0, 0, 0, 0, 1, 1, 1, 0];
  const bare = [...ports, ...rest, ...payload];
  const sum = oracleChecksum(flow.source, flow.destination, [0, 6], word(bare.length), bare);
  bare.splice(16, 2, ...word(sum));
  return Uint8Array.from(bare);
}

/** IPv4 or IPv6 packet by the length of the addresses. */
export function ipPacket(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  payload: Uint8Array,
): Uint8Array {
  if (source.length === 16) {
    const head = [0x6b, 0x80, 0, 7, ...word(payload.length), protocol, 61];
    return Uint8Array.from([...head, ...source, ...destination, ...payload]);
  }
  const head = [0x45, 0xb8, ...word(20 + payload.length), 0x12, 0x34, 0x40, 0, 61, protocol];
  const sum = oracleChecksum(head, source, destination);
  return Uint8Array.from([...head, ...word(sum), ...source, ...destination, ...payload]);
}

/** ICMP or ICMPv6 error (port unreachable) about the octets `embedded`. */
export function icmpError(
  source: Uint8Array,
  destination: Uint8Array,
  embedded: Uint8Array,
): Uint8Array {
  const six = source.length === 16;
  const bare = [six ? 1 : 3, six ? 4 : 3, 0, 0, 0, 0, 0, 0, ...embedded];
  const pseudo = six ? [...source, ...destination, ...word(bare.length), 0, 58] : [];
  bare.splice(2, 2, ...word(oracleChecksum(pseudo, bare)));
  return ipPacket(source, destination, six ? 58 : 1, Uint8Array.from(bare));
}

export interface Vector {
  readonly name: string;
  /** `ok` or the name of the fault that `readPacket` answers with. */
  readonly outcome: string;
  readonly octets: Uint8Array;
}

/** The packets of test/vectors/wire/packets.txt. */
export function vectors(): Vector[] {
  const file = new URL('../../../test/vectors/wire/packets.txt', import.meta.url);
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name = '', outcome = '', octets = ''] = line.split(' ');
      return { name, outcome, octets: hex(octets) };
    });
}

export function vector(name: string): Uint8Array {
  const found = vectors().find((v) => v.name === name);
  if (found === undefined) throw new RangeError(`no vector ${name}`);
  return found.octets;
}
