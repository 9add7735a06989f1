/**
 * Reads what stands in the records of the tunnel, written from tep-wire and the RFCs alone: it shares
 * nothing with `wire/`, so that what both say is right twice. Only for well-formed octets; anything
 * else throws.
 */
import { Buffer } from 'node:buffer';
import { createHash, createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** tep-wire 2: how long the record that starts here says it is. */
export function recordLength(octets: Uint8Array): number {
  const b = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  const first = b.readUInt8(0);
  if (first <= 0x01) return 20 + b.readUInt16BE(2);
  if (first >= 0x45 && first <= 0x4f) return b.readUInt16BE(2);
  if (first >= 0x60 && first <= 0x6f) return 40 + b.readUInt16BE(4);
  throw new Error(`no record begins with ${first}`);
}

export interface TinyAttribute {
  readonly at: number;
  readonly number: number;
  readonly value: Buffer;
}

export interface TinyMessage {
  readonly kind: 'request' | 'indication' | 'success' | 'error';
  readonly transactionId: string;
  readonly attributes: readonly TinyAttribute[];
  readonly octets: Buffer;
}

const KINDS: Readonly<Record<number, TinyMessage['kind']>> = {
  1: 'request',
  17: 'indication',
  257: 'success',
  273: 'error',
};

export function readStun(octets: Uint8Array): TinyMessage {
  const b = Buffer.from(octets);
  const kind = KINDS[b.readUInt16BE(0)];
  if (kind === undefined) throw new Error('not of method Binding');
  if (b.readUInt32BE(4) !== 554869826) throw new Error('cookie');
  if (b.readUInt16BE(2) + 20 !== b.length || b.length % 4 !== 0) throw new Error('length');
  const attributes: TinyAttribute[] = [];
  for (let at = 20; at < b.length; ) {
    const length = b.readUInt16BE(at + 2);
    const value = b.subarray(at + 4, at + 4 + length);
    if (value.length !== length) throw new Error('attribute over the end');
    attributes.push({ at, number: b.readUInt16BE(at), value });
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { kind, transactionId: b.toString('hex', 8, 20), attributes, octets: b };
}

export function attribute(message: TinyMessage, number: number): Buffer | undefined {
  return message.attributes.find((one) => one.number === number)?.value;
}

/** Whether FINGERPRINT is there, last and right. */
export function fingerprintRight({ attributes, octets }: TinyMessage): boolean {
  const last = attributes.at(-1);
  if (last?.number !== 0x8028) return false;
  const wanted = (crc32(octets.subarray(0, last.at)) ^ 0x5354554e) >>> 0;
  return last.value.readUInt32BE(0) === wanted;
}

/** Whether the integrity attribute of this hash is there and right under the key. */
export function integrityRight(
  { attributes, octets }: TinyMessage,
  hash: 'sha1' | 'sha256',
  key: string | Uint8Array,
): boolean {
  const found = attributes.find((one) => one.number === (hash === 'sha1' ? 0x0008 : 0x001c));
  if (found === undefined) return false;
  const covered = Buffer.from(octets.subarray(0, found.at));
  covered.writeUInt16BE(found.at + 4 + found.value.length - 20, 2);
  return createHmac(hash, key).update(covered).digest().equals(found.value);
}

/** A long-term key (RFC 8489 9.2.2). */
export function keyOf(hash: 'md5' | 'sha256', name: string, realm: string, password: string) {
  return createHash(hash).update(`${name}:${realm}:${password}`).digest();
}

/** Of an IPv4 address that was XORed with the cookie. */
export function xorMapped(value: Buffer): string {
  const port = value.readUInt16BE(2) ^ 0x2112;
  const word = (value.readUInt32BE(4) ^ 0x2112a442) >>> 0;
  return `${[24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.')}:${port}`;
}

export interface TinyPacket {
  /** 17 UDP, 1 ICMP. */
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly transport: Buffer;
  readonly payload: Buffer;
}

/** An IPv4 packet without options; of ICMP no ports. Checksums must be right. */
export function readPacket(octets: Uint8Array): TinyPacket {
  const b = Buffer.from(octets);
  if (b.readUInt8(0) !== 0x45 || b.readUInt16BE(2) !== b.length) throw new Error('IPv4 header');
  if (sum(b.subarray(0, 20)) !== 0xffff) throw new Error('IPv4 checksum');
  const protocol = b.readUInt8(9);
  const transport = b.subarray(20);
  if (protocol === 1) {
    if (sum(transport) !== 0xffff) throw new Error('ICMP checksum');
    const payload = transport.subarray(8);
    return { protocol, source: dotted(b, 12), destination: dotted(b, 16), transport, payload };
  }
  if (protocol !== 17 || transport.readUInt16BE(4) !== transport.length) throw new Error('UDP');
  const pseudo = Buffer.concat([b.subarray(12, 20), Buffer.from([0, 17]), b.subarray(24, 26)]);
  if (sum(Buffer.concat([pseudo, transport])) !== 0xffff) throw new Error('UDP checksum');
  return {
    protocol,
    source: `${dotted(b, 12)}:${transport.readUInt16BE(0)}`,
    destination: `${dotted(b, 16)}:${transport.readUInt16BE(2)}`,
    transport,
    payload: transport.subarray(8),
  };
}

function dotted(b: Buffer, at: number): string {
  return [...b.subarray(at, at + 4)].join('.');
}

/** Ones' complement sum of 16-bit words, an odd octet padded with zero. */
export function sum(b: Buffer): number {
  let total = 0;
  for (let i = 0; i < b.length; i += 2) {
    total += b.readUInt8(i) * 256 + (i + 1 < b.length ? b.readUInt8(i + 1) : 0);
  }
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}
