/**
 * How well the media of a call got from one end to the other, by what captures at both ends show: every
 * packet is known again by SSRC and sequence number, and one clock stamped both captures.
 */
import { Histogram } from '../../ops/histogram.ts';
import { G711, mos } from '../../ops/mos.ts';
import * as rtp from '../../wire/rtp.ts';
import { type Datagram, datagramsIn } from '../datagrams.ts';
import { inUri } from '../place.ts';

export interface StreamQuality {
  readonly ssrc: number;
  readonly way: 'up' | 'down';
  readonly sent: number;
  readonly heard: number;
  /** Without what was sent at the very end, when the other side may have hung up already. */
  readonly lost: number;
  /** Lost between two that were heard: not because the call ended. */
  readonly gaps: number;
  /** Packets heard after one that was sent later. */
  readonly late: number;
  readonly delayMs: { readonly p50: number; readonly p99: number };
  readonly mos: number;
  /** Where the receiver saw it come from: `ADDRESS:PORT`, more than one when it moved. */
  readonly from: readonly string[];
}

/** Second octet of RTCP (RFC 5761 clause 4). */
const RTCP_TYPES = { first: 192, last: 223 };
/** From the microphone to the packet: its own length of speech, G.711 as telephones send it. */
const PACKET_MS = 20;
/** As long as it takes to tell the phones of each other's end, on a machine that is busy. */
const END_MS = 300;

/** `up` is from the first capture to the second. Streams that only one of them has are left out. */
export async function streamsBetween(ue: string, core: string): Promise<StreamQuality[]> {
  const [near, far] = await Promise.all([streamsIn(ue), streamsIn(core)]);
  const found: StreamQuality[] = [];
  for (const [ssrc, a] of near) {
    const b = far.get(ssrc);
    if (b === undefined) continue;
    found.push(isFirst(a, b) ? quality(ssrc, 'up', a, b) : quality(ssrc, 'down', b, a));
  }
  return found;
}

interface Stream {
  /** By extended sequence number, in the order of arrival: when it was seen first, ms. */
  readonly seen: Map<number, number>;
  readonly from: Set<string>;
  highest: number;
}

async function streamsIn(file: string): Promise<Map<number, Stream>> {
  const streams = new Map<number, Stream>();
  for await (const datagram of datagramsIn(file)) {
    if (isRtp(datagram)) take(streams, datagram);
  }
  return streams;
}

function isRtp({ b, at, end }: Datagram): boolean {
  if (rtp.check(b, at, end) !== 0) return false;
  const type = b[at + 1] ?? 0;
  return type < RTCP_TYPES.first || type > RTCP_TYPES.last;
}

/** A packet that passes several interfaces of a host counts once. */
function take(streams: Map<number, Stream>, { b, at, from, timeMs }: Datagram): void {
  const ssrc = rtp.ssrc(b, at);
  const seq = rtp.sequenceNumber(b, at);
  let stream = streams.get(ssrc);
  if (stream === undefined) {
    stream = { seen: new Map(), from: new Set(), highest: seq };
    streams.set(ssrc, stream);
  }
  // The step to the nearest number with these 16 bits, forwards or back.
  const number = stream.highest + (((seq - stream.highest) << 16) >> 16);
  stream.highest = Math.max(stream.highest, number);
  stream.from.add(inUri(from));
  if (!stream.seen.has(number)) stream.seen.set(number, timeMs);
}

/** Whether what both saw was seen at `a` first: one of the captures may have begun before the other. */
function isFirst(a: Stream, b: Stream): boolean {
  for (const [number, timeMs] of a.seen) {
    const otherMs = b.seen.get(number);
    if (otherMs !== undefined) return timeMs <= otherMs;
  }
  return true;
}

function quality(ssrc: number, way: 'up' | 'down', out: Stream, into: Stream): StreamQuality {
  const delay = new Histogram();
  const endMs = Math.max(...out.seen.values()) - END_MS;
  let heard = 0;
  let lost = 0;
  for (const [number, leftMs] of out.seen) {
    const cameMs = into.seen.get(number);
    if (cameMs !== undefined) {
      heard += 1;
      delay.record(Math.max(0, cameMs - leftMs));
    } else if (leftMs < endMs) {
      lost += 1;
    }
  }
  const sent = out.seen.size;
  const p99 = delay.quantileMs(0.99);
  return {
    ssrc,
    way,
    sent,
    heard,
    lost,
    gaps: gapsIn(into),
    late: lateIn(into),
    delayMs: { p50: delay.quantileMs(0.5), p99 },
    mos: mos(G711, PACKET_MS + p99, lost / sent),
    from: [...into.from],
  };
}

function gapsIn({ seen, highest }: Stream): number {
  const lowest = Math.min(...seen.keys());
  return highest - lowest + 1 - seen.size;
}

function lateIn({ seen }: Stream): number {
  let highest = Number.NEGATIVE_INFINITY;
  let late = 0;
  for (const number of seen.keys()) {
    if (number < highest) late += 1;
    else highest = number;
  }
  return late;
}
