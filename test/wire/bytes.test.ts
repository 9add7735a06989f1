import { Buffer } from 'node:buffer';
import test from 'ava';
import * as bytes from '../../wire/bytes.ts';

/** Octets that tell their place, as a view that begins inside its memory. */
function source(length: number, seed: number): Buffer {
  const memory = Uint8Array.from({ length: length + 40 }, (_, i) => (i * 7 + seed) & 0xff);
  return Buffer.from(memory.buffer, 13, length);
}

test('fields go in and out big-endian, 32 bits unsigned', (t) => {
  const b = new Uint8Array(9).fill(0xa5);
  bytes.setU32(b, 1, 0xfedcba98);
  bytes.setU16(b, 5, 0x1234);
  bytes.setU8(b, 7, 0xff);
  t.deepEqual([...b], [0xa5, 0xfe, 0xdc, 0xba, 0x98, 0x12, 0x34, 0xff, 0xa5]);
  t.is(bytes.u32(b, 1), 0xfedcba98);
  t.is(bytes.u16(b, 5), 0x1234);
  t.is(bytes.u8(b, 7), 0xff);
});

test('copies of every length move those octets and no other', (t) => {
  const from = source(1100, 1);
  const other = source(1100, 2);
  for (let n = 0; n <= 1060; n += n < 80 ? 1 : 49) {
    const wanted = Buffer.alloc(1100, 0xa5);
    wanted.set(from.subarray(3, 3 + n), 21);
    const plain = Buffer.alloc(1100, 0xa5);
    bytes.copy(from, 3, plain, 21, n);
    t.deepEqual(plain, wanted);
    for (const before of [other, from]) {
      // The same source twice in a row takes another way than two sources in turn.
      const room = bytes.room(1100);
      bytes.copyInto(room, 0, before, 0, 1);
      room.bytes.fill(0xa5);
      bytes.copyInto(room, 21, from, 3, n);
      t.deepEqual(Buffer.from(room.bytes), wanted, `${n} octets`);
    }
  }
});

test('a copy reads what stands in the source now, not when its view was made', (t) => {
  const from = source(64, 1);
  const room = bytes.room(64);
  bytes.copyInto(room, 0, from, 0, 64);
  bytes.copyInto(room, 0, from, 0, 64);
  from.fill(9);
  bytes.copyInto(room, 0, from, 0, 64);
  t.deepEqual(Buffer.from(room.bytes), from);
});

test('octetsOf is a copy, of a Buffer too', (t) => {
  const b = Buffer.from([1, 2, 3, 4]);
  const octets = bytes.octetsOf(b, 1, 3);
  b.fill(0);
  t.deepEqual(octets, Uint8Array.from([2, 3]));
});
