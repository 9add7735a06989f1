import test from 'ava';
import { FlowBook } from '../../ops/flow-book.ts';
import { logFlowEnded } from '../../ops/flow-log.ts';
import type { Fields, Log } from '../../ops/log.ts';
import { type Endpoint, formatEndpoint } from '../../wire/address.ts';
import { writeUdpPacket } from '../../wire/build.ts';

const PHONE: Endpoint = { family: 4, address: Uint8Array.of(10, 0, 0, 2), port: 5_004 };
const GATEWAY: Endpoint = { family: 4, address: Uint8Array.of(203, 0, 113, 9), port: 30_000 };

/** A whole packet of G.711 for the phone, the `n`th. */
function packet(n: number, first = 0x80): Uint8Array {
  const payload = new Uint8Array(172);
  const view = new DataView(payload.buffer);
  view.setUint8(0, first);
  view.setUint16(2, n);
  view.setUint32(4, 160 * n);
  const b = new Uint8Array(300);
  return b.subarray(0, writeUdpPacket(b, 0, GATEWAY, PHONE, payload, 0, payload.length));
}

function fed(book: FlowBook, binding: number, packets: Iterable<number>): void {
  for (const n of packets) {
    const b = packet(n);
    book.packet(b, 0, b.length, binding, 1_000 + 20 * n);
  }
}

test('[G-25] a stream is watched by its binding, and told when that ends', (t) => {
  const book = new FlowBook('destination');
  fed(book, 3, [0, 1, 2, 4, 5]);
  fed(book, 4, [0]);
  t.like(book.status(3, undefined, 0), { received: 5, lost: 1 });
  t.like(book.status(3, undefined, 1_000 + 20 * 100), { stalls: 1 }, 'as seen now');
  const ended = book.end(3, 40);
  t.is(ended && formatEndpoint(ended.at), '10.0.0.2:5004');
  t.like(ended?.quality, { received: 5, lost: 1 });
  t.is(book.status(3, undefined, 0), undefined);
  t.is(book.end(3, undefined), undefined);
  t.is(book.keep(new Set([4]), undefined).length, 0);
  t.is(book.keep(new Set([5]), undefined).length, 1);
});

test('what is noted of a packet is not lost when its octets are used again, those of a Buffer too', (t) => {
  const book = new FlowBook('destination');
  const b = Buffer.from(packet(0));
  book.packet(b, 0, b.length, 3, 1_000);
  b.fill(0xff);
  const ended = book.end(3, undefined);
  t.is(ended && formatEndpoint(ended.at), '10.0.0.2:5004');
  // Nor does it keep the rest of the chunk that the packet came in.
  t.is(ended?.at.address.buffer.byteLength, 4);
});

test('at TEP-S the source is ours', (t) => {
  const book = new FlowBook('source');
  fed(book, 0, [0]);
  const ended = book.end(0, undefined);
  t.is(ended && formatEndpoint(ended.at), '203.0.113.9:30000');
});

test('what is no RTP is not watched, cut packets do no harm', (t) => {
  const book = new FlowBook('destination');
  for (const first of [0x00, 0x17, 0x40]) {
    const b = packet(0, first);
    book.packet(b, 0, b.length, 1, 0);
  }
  const whole = packet(0);
  for (let length = 0; length < whole.length; length++) book.packet(whole, 0, length, 1, 0);
  t.is(book.status(1, undefined, 0), undefined);
});

test('no more streams than there is memory for', (t) => {
  const book = new FlowBook('destination');
  for (let binding = 0; binding < 5_000; binding++) fed(book, binding, [0]);
  t.is(book.keep(new Set(), undefined).length, 4_096);
  fed(book, 4_999, [0]);
  t.like(book.status(4_999, undefined, 0), { received: 1 });
});

test('one line of the log tells what became of it', (t) => {
  const book = new FlowBook('destination');
  fed(book, 3, [0, 1, 2, 20, 21]);
  const ended = book.end(3, 40);
  const lines: Array<readonly [string, Fields]> = [];
  const write = (text: string, fields: Fields = {}) => lines.push([text, fields]);
  if (ended) logFlowEnded({ error: write, warn: write, info: write, debug: write } as Log, ended);
  t.deepEqual(lines, [
    [
      'media stream ended',
      {
        ...{ at: '10.0.0.2:5004', received: 5, lost: 17, jitterMs: 0, lateMs: 0, stalls: 1 },
        ...{ longestStallMs: 360, mos: 1 },
      },
    ],
  ]);
});
