/** Feeds a stream to a FrameBuffer in given pieces and notes what came out. */
import { FrameBuffer } from '../../framing/frame-buffer.ts';
import type { Channel, Framing } from '../../framing/framing.ts';
import type { Fault } from '../../wire/faults.ts';

export interface CutRecord {
  readonly channel: Channel;
  /** A copy: the view is valid only during the loop. */
  readonly octets: Buffer;
}

export interface Cut {
  readonly records: readonly CutRecord[];
  readonly fault: 0 | Fault;
  readonly held: number;
  /** The most memory that the buffer owned. */
  readonly capacity: number;
}

const BORDER = 16;

/**
 * `cuts` are the places at which the stream arrives in pieces. Each piece lies between poisoned
 * borders in memory of its own, which is destroyed afterwards: views on it must not be used any more.
 */
export function cutStream(framing: Framing, stream: Uint8Array, cuts: readonly number[]): Cut {
  const buffer = new FrameBuffer(framing);
  const records: CutRecord[] = [];
  let capacity = 0;
  let from = 0;
  for (const to of [...cuts, stream.length]) {
    const chunk = bordered(stream.subarray(from, to), 0xa5);
    buffer.append(chunk, BORDER, chunk.length - BORDER);
    while (buffer.next()) {
      const octets = Buffer.from(buffer.bytes.subarray(buffer.start, buffer.end));
      records.push({ channel: buffer.channel, octets });
    }
    chunk.fill(0xa5);
    capacity = Math.max(capacity, buffer.capacity);
    from = to;
  }
  return { records, fault: buffer.fault, held: buffer.held, capacity };
}

export function everyOctetApart(stream: Uint8Array): number[] {
  return Array.from({ length: Math.max(0, stream.length - 1) }, (_, i) => i + 1);
}

/** `octets` in the middle of a buffer filled with `poison`; they start at BORDER. */
export function bordered(octets: Uint8Array, poison: number): Buffer {
  const whole = Buffer.alloc(octets.length + 2 * BORDER, poison);
  whole.set(octets, BORDER);
  return whole;
}

/** What `frameSize` says about octets whatever stands outside them; undefined when that matters. */
export function sizeWithin(framing: Framing, octets: Uint8Array): number | undefined {
  const end = BORDER + octets.length;
  const sizes = [0xa5, 0x00, 0x45].map((p) => framing.frameSize(bordered(octets, p), BORDER, end));
  return sizes.every((size) => size === sizes[0]) ? sizes[0] : undefined;
}

/** Seeded randomness (xorshift): numbers from 0 to below `limit`. */
export function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
