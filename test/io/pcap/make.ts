/** Capture files made by hand, octet by octet, in every form that the readers must know. */
import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Capture, readCapture } from '../../../io/pcap/read.ts';

export type ByteOrder = 'big' | 'little';

export interface MadePacket {
  readonly seconds: number;
  /** In the unit of the file. */
  readonly fraction: number;
  readonly octets: Buffer;
  readonly originalLength?: number;
}

/** What a reader is asked to give back, as plain data. */
export interface ReadPacket {
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly linkType: number;
  readonly originalLength: number;
  readonly octets: string;
}

export function u16(order: ByteOrder, value: number): Buffer {
  const b = Buffer.alloc(2);
  if (order === 'big') b.writeUInt16BE(value);
  else b.writeUInt16LE(value);
  return b;
}

export function u32(order: ByteOrder, value: number): Buffer {
  const b = Buffer.alloc(4);
  if (order === 'big') b.writeUInt32BE(value >>> 0);
  else b.writeUInt32LE(value >>> 0);
  return b;
}

export interface ClassicParts {
  readonly order?: ByteOrder;
  readonly magic?: number;
  readonly major?: number;
  readonly minor?: number;
  readonly linkType?: number;
  readonly packets?: readonly MadePacket[];
}

export function classicFile(parts: ClassicParts = {}): Buffer {
  const { order = 'little', magic = 0xa1b2c3d4, major = 2, minor = 4, linkType = 1 } = parts;
  const { packets = samplePackets() } = parts;
  return Buffer.concat([
    u32(order, magic),
    u16(order, major),
    u16(order, minor),
    Buffer.alloc(8),
    u32(order, 65_535),
    u32(order, linkType),
    ...packets.flatMap((p) => [
      u32(order, p.seconds),
      u32(order, p.fraction),
      u32(order, p.octets.length),
      u32(order, p.originalLength ?? p.octets.length),
      p.octets,
    ]),
  ]);
}

/** Three packets: ordinary, empty, and one of which only the beginning was kept. */
export function samplePackets(): MadePacket[] {
  return [
    { seconds: 1_763_700_000, fraction: 1, octets: Buffer.from('ffeeddccbbaa', 'hex') },
    { seconds: 1_763_700_000, fraction: 999_999, octets: Buffer.alloc(0) },
    { seconds: 0xffff_fff0, fraction: 5, octets: Buffer.alloc(61, 0x45), originalLength: 1500 },
  ];
}

export function block(order: ByteOrder, type: number, body: Buffer): Buffer {
  const padded = pad(body);
  const total = u32(order, padded.length + 12);
  return Buffer.concat([u32(order, type), total, padded, total]);
}

export function section(order: ByteOrder, major = 1): Buffer {
  const body = [u32(order, 0x1a2b3c4d), u16(order, major), u16(order, 0), Buffer.alloc(8, 0xff)];
  return block(order, 0x0a0d0d0a, Buffer.concat(body));
}

export function option(order: ByteOrder, code: number, value: Buffer): Buffer {
  return Buffer.concat([u16(order, code), u16(order, value.length), pad(value)]);
}

export function described(order: ByteOrder, linkType: number, snap = 0, options?: Buffer): Buffer {
  const body = [u16(order, linkType), u16(order, 0), u32(order, snap), options ?? Buffer.alloc(0)];
  return block(order, 1, Buffer.concat(body));
}

export interface EnhancedParts {
  readonly interfaceNumber?: number;
  readonly ticks: bigint;
  readonly octets: Buffer;
  readonly originalLength?: number;
  readonly capturedLength?: number;
}

export function enhanced(order: ByteOrder, p: EnhancedParts): Buffer {
  return block(order, 6, Buffer.concat([u32(order, p.interfaceNumber ?? 0), packetPart(order, p)]));
}

export function obsolete(order: ByteOrder, p: EnhancedParts): Buffer {
  const start = [u16(order, p.interfaceNumber ?? 0), u16(order, 0xffff)];
  return block(order, 2, Buffer.concat([...start, packetPart(order, p)]));
}

export function simple(order: ByteOrder, originalLength: number, octets: Buffer): Buffer {
  return block(order, 3, Buffer.concat([u32(order, originalLength), octets]));
}

function packetPart(order: ByteOrder, p: EnhancedParts): Buffer {
  return Buffer.concat([
    u32(order, Number(p.ticks >> 32n)),
    u32(order, Number(p.ticks & 0xffff_ffffn)),
    u32(order, p.capturedLength ?? p.octets.length),
    u32(order, p.originalLength ?? p.octets.length),
    pad(p.octets),
  ]);
}

function pad(b: Buffer): Buffer {
  return Buffer.concat([b, Buffer.alloc((4 - (b.length % 4)) % 4)]);
}

/** A folder for one test file, removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tep-pcap-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface ReadResult {
  readonly packets: readonly ReadPacket[];
  readonly capture: Capture;
}

export async function readAll(file: string): Promise<ReadResult> {
  const capture = readCapture(file);
  const packets: ReadPacket[] = [];
  for await (const batch of capture) {
    for (const { seconds, nanoseconds, linkType, originalLength, b, at, end } of batch) {
      const octets = Buffer.from(b.subarray(at, end)).toString('hex');
      packets.push({ seconds, nanoseconds, linkType, originalLength, octets });
    }
  }
  return { packets, capture };
}

let made = 0;

/** Writes the octets to a file of their own and reads it. */
export function readOctets(folder: string, octets: Buffer): Promise<ReadResult> {
  made += 1;
  const file = join(folder, `${made}.bin`);
  writeFileSync(file, octets);
  return readAll(file).finally(() => rmSync(file));
}

/** A seeded source of numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
