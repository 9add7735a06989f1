import test from 'ava';
import fc from 'fast-check';
import { FrameBuffer } from '../../framing/frame-buffer.ts';
import { CHANNELS } from '../../framing/framing.ts';
import { innerIp } from '../../framing/inner-ip/inner-ip.ts';
import { FAULTS } from '../../wire/faults.ts';
import { type CutRecord, cutStream, everyOctetApart } from './cut.ts';
import { INDICATION, ipv4Record, ipv6Record, stunRecord } from './records.ts';

/** What a buffer keeps for the next record that crosses chunks. */
const KEPT = 2048;

test('[B4] a whole record is handed out in the chunk itself', (t) => {
  const chunk = Buffer.concat([INDICATION, INDICATION]);
  const buffer = new FrameBuffer(innerIp);
  buffer.append(chunk, 0, chunk.length);
  t.true(buffer.next());
  t.is(buffer.bytes, chunk);
  t.deepEqual([buffer.start, buffer.end, buffer.channel], [0, 28, CHANNELS.CONTROL]);
  t.true(buffer.next());
  t.deepEqual([buffer.start, buffer.end], [28, 56]);
  t.false(buffer.next());
  t.is(buffer.capacity, 0);
  t.is(buffer.fault, 0);
});

test('after a fault nothing is kept and nothing handed out', (t) => {
  const chunk = Buffer.concat([INDICATION, Buffer.from([0xff]), INDICATION]);
  const buffer = new FrameBuffer(innerIp);
  buffer.append(chunk, 0, chunk.length);
  t.true(buffer.next());
  t.false(buffer.next());
  t.is(buffer.fault, FAULTS.FRAME_UNKNOWN);
  buffer.append(INDICATION, 0, INDICATION.length);
  t.false(buffer.next());
  t.is(buffer.held, 0);
});

test('memory is nothing before a record crosses chunks, and given back after a long one', (t) => {
  const buffer = new FrameBuffer(innerIp);
  const long = ipv4Record(60_000);
  const feed = (octets: Uint8Array) => {
    buffer.append(octets, 0, octets.length);
    let records = 0;
    while (buffer.next()) records += 1;
    return records;
  };
  t.is(feed(ipv4Record(1400)), 1);
  t.is(buffer.capacity, 0);
  t.is(feed(long.subarray(0, 100)), 0);
  t.is(buffer.capacity, KEPT, 'an announced length alone takes no memory');
  t.is(feed(long.subarray(100, 5000)), 0);
  t.true(buffer.capacity < 10_000);
  t.is(buffer.held, 5000);
  t.is(feed(Buffer.concat([long.subarray(5000), INDICATION.subarray(0, 9)])), 1);
  t.is(feed(INDICATION.subarray(9)), 1);
  t.is(buffer.capacity, 0, 'the room of the long record');
  t.is(feed(INDICATION.subarray(0, 9)), 0);
  t.is(feed(INDICATION.subarray(9)), 1);
  t.is(buffer.capacity, KEPT, 'what an ordinary record needs is kept for the next one');
});

test('a long record octet by octet is moved a logarithmic number of times', (t) => {
  const long = ipv4Record(65_535);
  const buffer = new FrameBuffer(innerIp);
  const capacities = new Set<number>();
  for (let at = 0; at < long.length; at++) {
    buffer.append(long, at, at + 1);
    if (buffer.next()) t.true(long.equals(buffer.bytes.subarray(buffer.start, buffer.end)));
    capacities.add(buffer.capacity);
  }
  t.true(capacities.size <= 8, `${[...capacities]}`);
  t.is(Math.max(...capacities), 65_535);
});

test('nothing of the chunk is held on to once it is drained', (t) => {
  const buffer = new FrameBuffer(innerIp);
  buffer.append(INDICATION, 0, INDICATION.length);
  while (buffer.next()) t.is(buffer.bytes, INDICATION);
  t.is(buffer.bytes.length, 0);
});

test('[W-2] before authentication an IP record ends the stream when its kind shows', (t) => {
  const buffer = new FrameBuffer(innerIp);
  buffer.controlOnly = true;
  const stream = Buffer.concat([INDICATION, ipv4Record(40)]);
  buffer.append(stream, 0, stream.length);
  t.true(buffer.next());
  buffer.controlOnly = false;
  t.true(buffer.next(), 'changed between two records');
  t.is(buffer.channel, CHANNELS.IP);
});

test('[W-2] before authentication an IP record is refused at its first octet', (t) => {
  for (const octets of [ipv4Record(40), Uint8Array.of(0x60)]) {
    const buffer = new FrameBuffer(innerIp);
    buffer.controlOnly = true;
    const stream = Buffer.concat([INDICATION, octets]);
    buffer.append(stream, 0, INDICATION.length);
    t.true(buffer.next());
    t.false(buffer.next());
    buffer.append(stream, INDICATION.length, INDICATION.length + 1);
    t.false(buffer.next());
    t.is(buffer.fault, FAULTS.FRAME_TYPE);
  }
});

test('our own mistakes throw', (t) => {
  const buffer = new FrameBuffer(innerIp);
  t.throws(() => buffer.append(INDICATION, 0, 29), { instanceOf: RangeError });
  t.throws(() => buffer.append(INDICATION, -1, 2), { instanceOf: RangeError });
  t.throws(() => buffer.append(INDICATION, 3, 2), { instanceOf: RangeError });
  buffer.append(INDICATION, 0, 28);
  t.throws(() => buffer.append(INDICATION, 0, 28), { instanceOf: RangeError });
});

test('a framing that never tells a size is stopped, not waited for', (t) => {
  for (const pieces of [[], everyOctetApart(new Uint8Array(100))]) {
    const cut = cutStream({ ...innerIp, frameSize: () => 0 }, new Uint8Array(100), pieces);
    t.is(cut.fault, FAULTS.FRAME_BACKLOG);
  }
  const tooLong = { ...innerIp, frameSize: () => 65_536 };
  t.is(cutStream(tooLong, INDICATION, [5]).fault, FAULTS.FRAME_TOO_LONG);
});

const anyRecord = fc.oneof(
  fc.integer({ min: 20, max: 3000 }).map((length) => ipv4Record(length)),
  fc.integer({ min: 60, max: 400 }).map((length) => ipv4Record(length, 15)),
  fc.integer({ min: 48, max: 3000 }).map((length) => ipv6Record(length)),
  fc.integer({ min: 5, max: 375 }).map((words) => stunRecord(words * 4)),
);

const anyStream = fc.array(anyRecord, { minLength: 1, maxLength: 8 }).chain((records) => {
  const length = records.reduce((sum, record) => sum + record.length, 0);
  const cuts = fc.uniqueArray(fc.integer({ min: 0, max: length }), { maxLength: 40 });
  return fc.tuple(fc.constant(records), cuts);
});

test('property: any records under any cutting come out as they went in', (t) => {
  const property = fc.property(anyStream, ([records, cuts]) => {
    const cut = cutStream(innerIp, Buffer.concat(records), ascending(cuts));
    const found = cut.records.map((record) => record.octets);
    return cut.fault === 0 && cut.held === 0 && Buffer.concat(found).equals(Buffer.concat(records))
      ? found.every((octets, i) => records[i]?.length === octets.length)
      : false;
  });
  t.notThrows(() => fc.assert(property, { seed: 0x5eed, numRuns: 500 }));
});

test('property: a fault and what came before it do not depend on the cutting', (t) => {
  const damage = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
  const property = fc.property(anyStream, damage, ([records, cuts], [place, change]) => {
    const stream = Buffer.concat(records);
    const at = place % stream.length;
    stream.writeUInt8(stream.readUInt8(at) ^ change, at);
    const whole = cutStream(innerIp, stream, []);
    const pieces = cutStream(innerIp, stream, ascending(cuts));
    const same = (a: readonly CutRecord[], b: readonly CutRecord[]) =>
      a.length === b.length && a.every((record, i) => b[i]?.octets.equals(record.octets));
    return (
      whole.fault === pieces.fault &&
      whole.held === pieces.held &&
      same(whole.records, pieces.records)
    );
  });
  t.notThrows(() => fc.assert(property, { seed: 0x5eed, numRuns: 500 }));
});

function ascending(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}
