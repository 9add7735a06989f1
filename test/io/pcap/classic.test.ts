import { Buffer } from 'node:buffer';
import test from 'ava';
import { ClassicFormat } from '../../../io/pcap/classic.ts';
import type { PacketRecord } from '../../../io/pcap/format.ts';
import {
  type ByteOrder,
  classicFile,
  readOctets,
  samplePackets,
  seeded,
  temporaryFolder,
} from './make.ts';

const folder = temporaryFolder();
const FILE_HEADER_LEN = 24;
const RECORD_HEADER_LEN = 16;
const FIRST_LEN = RECORD_HEADER_LEN + 6;

for (const order of ['big', 'little'] as const satisfies readonly ByteOrder[]) {
  for (const [precision, magic, nsPerTick] of [
    ['microseconds', 0xa1b2c3d4, 1000],
    ['nanoseconds', 0xa1b23c4d, 1],
  ] as const) {
    test(`${precision}, ${order}-endian: every field of every packet`, async (t) => {
      const { packets, capture } = await readOctets(folder, classicFile({ order, magic }));
      t.is(capture.fault, undefined);
      t.deepEqual(
        packets,
        samplePackets().map((p) => ({
          seconds: p.seconds,
          nanoseconds: p.fraction * nsPerTick,
          linkType: 1,
          originalLength: p.originalLength ?? p.octets.length,
          octets: p.octets.toString('hex'),
        })),
      );
    });
  }
}

test('a fraction above one second carries over', async (t) => {
  const packet = { seconds: 7, fraction: 2_000_001, octets: Buffer.alloc(1) };
  const { packets } = await readOctets(folder, classicFile({ packets: [packet] }));
  t.is(packets[0]?.seconds, 9);
  t.is(packets[0]?.nanoseconds, 1000);
});

test('the frame check sequence bits of the link type field are not part of the type', async (t) => {
  const { packets } = await readOctets(folder, classicFile({ linkType: 0xf400_0001 }));
  t.is(packets[0]?.linkType, 1);
});

test('a file without packets is no fault', async (t) => {
  const { packets, capture } = await readOctets(folder, classicFile({ packets: [] }));
  t.is(packets.length, 0);
  t.is(capture.fault, undefined);
});

for (const [name, parts, reason] of [
  ['modified magic', { magic: 0xa1b2cd34 }, /modified pcap .* editcap -F pcap/],
  ['version 2.3', { minor: 3 }, /pcap version 2\.3, not 2\.4/],
  ['version 1.4', { major: 1 }, /pcap version 1\.4, not 2\.4/],
] as const) {
  test(`${name} is refused with its reason`, async (t) => {
    for (const order of ['big', 'little'] as const) {
      const { packets, capture } = await readOctets(folder, classicFile({ ...parts, order }));
      t.is(packets.length, 0);
      t.is(capture.fault?.kind, 'unsupported');
      t.regex(capture.fault?.reason ?? '', reason);
    }
  });
}

test('cut at every octet: whole packets are given, and the place of the cut one is named', async (t) => {
  const whole = classicFile();
  const boundaries = [
    FILE_HEADER_LEN,
    FILE_HEADER_LEN + FIRST_LEN,
    FILE_HEADER_LEN + FIRST_LEN + RECORD_HEADER_LEN,
    whole.length,
  ];
  for (let length = 1; length < whole.length; length++) {
    const { packets, capture } = await readOctets(folder, whole.subarray(0, length));
    const there = boundaries.filter((boundary) => boundary <= length);
    t.is(packets.length, Math.max(0, there.length - 1), `${length} octets`);
    if (boundaries.includes(length)) {
      t.is(capture.fault, undefined, `${length} octets`);
    } else {
      t.is(capture.fault?.kind, 'truncated', `${length} octets`);
      t.is(capture.fault?.offset, there.at(-1) ?? 0, `${length} octets`);
    }
  }
});

test('a corrupt length is refused where it stands, before anything is collected for it', async (t) => {
  const packets = Array.from({ length: 40_000 }, (_, i) => ({
    seconds: i,
    fraction: 0,
    octets: Buffer.alloc(200),
  }));
  const third = FILE_HEADER_LEN + 3 * (RECORD_HEADER_LEN + 200);
  for (const length of [262_145, 0x7fff_ffff, 0xffff_ffff]) {
    const octets = classicFile({ packets });
    octets.writeUInt32LE(length, third + 8);
    const result = await readOctets(folder, octets);
    t.is(result.packets.length, 3);
    t.is(result.capture.fault?.kind, 'corrupt');
    t.is(result.capture.fault?.offset, third);
    t.true(result.capture.octetsRead <= 1_048_576, 'no more than one chunk was read');
  }
});

test('the longest legal packet is read, in a file of many chunks', async (t) => {
  const longest = { seconds: 1, fraction: 0, octets: Buffer.alloc(262_144, 0x5a) };
  const small = { seconds: 2, fraction: 0, octets: Buffer.alloc(1, 0x11) };
  const octets = classicFile({ packets: [small, longest, longest, small, longest] });
  const { packets, capture } = await readOctets(folder, octets);
  t.is(capture.fault, undefined);
  t.deepEqual(
    packets.map((p) => p.octets.length / 2),
    [1, 262_144, 262_144, 1, 262_144],
  );
  t.is(packets[4]?.octets, longest.octets.toString('hex'));
});

test('records that cross chunk borders come out whole', async (t) => {
  const packets = Array.from({ length: 16_000 }, (_, i) => ({
    seconds: i,
    fraction: i,
    octets: Buffer.alloc(i % 301, i & 0xff),
  }));
  const result = await readOctets(folder, classicFile({ packets, order: 'big' }));
  t.is(result.capture.fault, undefined);
  t.deepEqual(
    result.packets.map((p) => p.octets),
    packets.map((p) => p.octets.toString('hex')),
  );
});

test('ten thousand seeded mutations: no exception, never more packets than the octets can hold', (t) => {
  const random = seeded(0x7e9);
  const whole = classicFile();
  let intact = 0;
  for (let i = 0; i < 10_000; i++) {
    const mutant = Buffer.from(whole);
    for (let n = 0; n < 1 + (i % 3); n++) {
      mutant[Math.floor(random() * mutant.length)] = Math.floor(random() * 256);
    }
    const format = new ClassicFormat();
    const records: PacketRecord[] = [];
    const taken = format.take(mutant, 0, mutant.length, records);
    const held = records.reduce((sum, r) => sum + RECORD_HEADER_LEN + r.end - r.at, 0);
    if (held > taken || taken > mutant.length) t.fail(`mutation ${i}`);
    if (format.fault === undefined) intact += 1;
  }
  t.true(intact > 1000 && intact < 9000, `${intact} of 10,000 were still legal`);
});
