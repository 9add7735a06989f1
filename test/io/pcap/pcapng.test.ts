import { Buffer } from 'node:buffer';
import test from 'ava';
import type { PacketRecord } from '../../../io/pcap/format.ts';
import { PcapngFormat } from '../../../io/pcap/pcapng.ts';
import {
  block,
  described,
  enhanced,
  obsolete,
  option,
  readOctets,
  section,
  seeded,
  simple,
  temporaryFolder,
  u32,
} from './make.ts';

const folder = temporaryFolder();
const OCTETS = Buffer.from('45000014deadbeef', 'hex');
const TSRESOL = 9;
const TSOFFSET = 14;

function sampleFile(order: 'big' | 'little' = 'little'): Buffer {
  return Buffer.concat([
    section(order),
    described(order, 1),
    enhanced(order, { ticks: 1_763_700_000_000_001n, octets: OCTETS }),
    block(order, 5, Buffer.alloc(40)),
    enhanced(order, { ticks: 2n, octets: OCTETS.subarray(0, 5), originalLength: 1500 }),
  ]);
}

for (const order of ['big', 'little'] as const) {
  test(`${order}-endian section: time, interface and lengths`, async (t) => {
    const { packets, capture } = await readOctets(folder, sampleFile(order));
    t.is(capture.fault, undefined);
    t.deepEqual(packets, [
      {
        seconds: 1_763_700_000,
        nanoseconds: 1000,
        linkType: 1,
        originalLength: 8,
        octets: '45000014deadbeef',
      },
      { seconds: 0, nanoseconds: 2000, linkType: 1, originalLength: 1500, octets: '45000014de' },
    ]);
  });

  for (const [name, resolution, ticks, seconds, nanoseconds] of [
    ['nanoseconds', 9, 1_763_700_000_123_456_789n, 1_763_700_000, 123_456_789],
    ['milliseconds', 3, 5_042n, 5, 42_000_000],
    ['whole seconds', 0, 77n, 77, 0],
    ['picoseconds', 12, 7_000_000_001_999n, 7, 1],
    ['2^-10 seconds', 0x80 | 10, 1536n, 1, 500_000_000],
  ] as const) {
    test(`if_tsresol ${name}, ${order}-endian`, async (t) => {
      const options = option(order, TSRESOL, Buffer.from([resolution]));
      const octets = Buffer.concat([
        section(order),
        described(order, 101, 0, options),
        enhanced(order, { ticks, octets: OCTETS }),
      ]);
      const { packets } = await readOctets(folder, octets);
      t.is(packets[0]?.seconds, seconds);
      t.is(packets[0]?.nanoseconds, nanoseconds);
    });
  }
}

test('if_tsoffset adds seconds, also behind other options; behind the end option nothing counts', async (t) => {
  const offset = Buffer.alloc(8);
  offset.writeBigInt64BE(-100n);
  const name = option('big', 2, Buffer.from('wlan0'));
  const wanted = option('big', TSOFFSET, offset);
  const end = option('big', 0, Buffer.alloc(0));
  for (const [options, seconds] of [
    [Buffer.concat([name, wanted, end]), 900],
    [Buffer.concat([end, wanted]), 1000],
  ] as const) {
    const octets = Buffer.concat([
      section('big'),
      described('big', 1, 0, options),
      enhanced('big', { ticks: 1_000_000_000n, octets: OCTETS }),
    ]);
    const { packets } = await readOctets(folder, octets);
    t.is(packets[0]?.seconds, seconds);
  }
});

test('a count of microseconds beyond 2^53 keeps its digits', async (t) => {
  const octets = Buffer.concat([
    section('little'),
    described('little', 1),
    enhanced('little', { ticks: 9_007_199_254_740_993_007n, octets: OCTETS }),
  ]);
  const { packets } = await readOctets(folder, octets);
  t.is(packets[0]?.seconds, 9_007_199_254_740);
  t.is(packets[0]?.nanoseconds, 993_007_000);
});

test('several sections of either byte order, several interfaces, every kind of packet block', async (t) => {
  const octets = Buffer.concat([
    section('big'),
    described('big', 1),
    described('big', 113),
    enhanced('big', { interfaceNumber: 1, ticks: 0n, octets: OCTETS }),
    obsolete('big', { interfaceNumber: 0, ticks: 1n, octets: OCTETS }),
    section('little'),
    described('little', 276, 6),
    simple('little', 8, OCTETS.subarray(0, 6)),
    obsolete('little', { ticks: 1n, octets: OCTETS }),
  ]);
  const { packets, capture } = await readOctets(folder, octets);
  t.is(capture.fault, undefined);
  t.deepEqual(
    packets.map((p) => [p.linkType, p.originalLength, p.octets.length / 2]),
    [
      [113, 8, 8],
      [1, 8, 8],
      [276, 8, 6],
      [276, 8, 8],
    ],
  );
});

test('a simple packet without a snap length is as long as its block', async (t) => {
  const octets = Buffer.concat([
    section('little'),
    described('little', 1),
    simple('little', 8, OCTETS),
  ]);
  const { packets } = await readOctets(folder, octets);
  t.is(packets[0]?.octets, OCTETS.toString('hex'));
});

test('blocks of other types are passed over, longer than any buffer too', async (t) => {
  const big = block('little', 0x0bad, Buffer.alloc(9_000_000));
  const octets = Buffer.concat([
    section('little'),
    described('little', 1),
    big,
    enhanced('little', { ticks: 1n, octets: OCTETS }),
  ]);
  const { packets, capture } = await readOctets(folder, octets);
  t.is(capture.fault, undefined);
  t.is(packets.length, 1);
  t.true(capture.octetsRead < 3_000_000, 'its octets were not read');
});

for (const [name, octets, reason] of [
  ['no byte order magic', block('little', 0x0a0d0d0a, Buffer.alloc(16)), /byte order magic/],
  ['length below the least', damagedLength(8), /length 8/],
  ['length not a multiple of 4', damagedLength(29), /length 29/],
  ['length above the limit', damagedLength(0x7fff_fffc), /2147483644 octets; no more than/],
  ['lengths that differ', damagedTrailer(), /begins with length 40 and ends with 44/],
  [
    'packet longer than its block',
    enhancedWith({ ticks: 1n, octets: OCTETS, capturedLength: 9 }),
    /a packet of 9 octets in a block of 40/,
  ],
  [
    'interface that was not described',
    enhancedWith({ ticks: 1n, octets: OCTETS, interfaceNumber: 1 }),
    /interface 1, which was not described/,
  ],
] as const) {
  test(`corrupt: ${name}`, async (t) => {
    const { packets, capture } = await readOctets(folder, octets);
    t.is(packets.length, 0);
    t.is(capture.fault?.kind, 'corrupt');
    t.regex(capture.fault?.reason ?? '', reason);
  });
}

test('a section of another major version is refused', async (t) => {
  const { capture } = await readOctets(folder, section('big', 2));
  t.is(capture.fault?.kind, 'unsupported');
  t.regex(capture.fault?.reason ?? '', /pcapng version 2, not 1/);
});

test('cut at every octet: whole packets are given, and the place of the cut block is named', async (t) => {
  const whole = sampleFile();
  const starts = [0];
  while ((starts.at(-1) ?? 0) < whole.length) {
    const at = starts.at(-1) ?? 0;
    starts.push(at + whole.readUInt32LE(at + 4));
  }
  for (let length = 1; length < whole.length; length++) {
    const { packets, capture } = await readOctets(folder, whole.subarray(0, length));
    const there = starts.filter((start) => start <= length);
    // Blocks: section, interface, packet, statistics, packet.
    t.is(packets.length, there.length > 3 ? 1 : 0, `${length} octets`);
    if (starts.includes(length)) {
      t.is(capture.fault, undefined, `${length} octets`);
    } else {
      t.is(capture.fault?.kind, 'truncated', `${length} octets`);
      t.is(capture.fault?.offset, there.at(-1), `${length} octets`);
    }
  }
});

test('ten thousand seeded mutations: no exception, every packet inside the octets given', (t) => {
  const random = seeded(0xbeef);
  let intact = 0;
  for (let i = 0; i < 10_000; i++) {
    const mutant = sampleFile(i % 2 === 0 ? 'big' : 'little');
    for (let n = 0; n < 1 + (i % 3); n++) {
      mutant[Math.floor(random() * mutant.length)] = Math.floor(random() * 256);
    }
    const format = new PcapngFormat();
    const records: PacketRecord[] = [];
    format.take(mutant, 0, mutant.length, records);
    const inside = records.every((r) => r.at > 0 && r.at <= r.end && r.end <= mutant.length);
    if (!inside) t.fail(`mutation ${i}`);
    if (format.fault === undefined) intact += 1;
  }
  t.true(intact > 1000 && intact < 9000, `${intact} of 10,000 were still legal`);
});

function enhancedWith(parts: Parameters<typeof enhanced>[1]): Buffer {
  return Buffer.concat([section('little'), described('little', 1), enhanced('little', parts)]);
}

function damagedLength(length: number): Buffer {
  const start = Buffer.concat([section('little'), described('little', 1)]);
  return Buffer.concat([start, u32('little', 6), u32('little', length), Buffer.alloc(400)]);
}

function damagedTrailer(): Buffer {
  const octets = enhancedWith({ ticks: 1n, octets: OCTETS });
  octets.writeUInt32LE(44, octets.length - 4);
  return octets;
}
