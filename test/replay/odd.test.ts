/** Captures that are legal and odd: what cannot be carried is told, never silently left out. */
import { Buffer } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import test from 'ava';
import { described, enhanced, option, readAll, section } from '../io/pcap/make.ts';
import { newFile, replay, rtpPacket, Story, udpPacket } from './story.ts';

const UE = '10.0.0.2:4000';
const MEDIA = '198.51.100.7:30000';
const ETHERNET = 1;
const RADIOTAP = 127;
const RAW = 101;
const OPTION_RESOLUTION = 9;
const OPTION_OFFSET = 14;

/** A call, each packet with some octets before it. */
function wrapped(header: string): Story {
  const story = new Story();
  for (const octets of new Story().rtp(UE, MEDIA, 6).octets) {
    story.packet(Buffer.concat([Buffer.from(header, 'hex'), octets])).wait(20);
  }
  return story;
}

const ETHERNET_ADDRESSES = '020000000001020000000002';
const WRAPPINGS = [
  ['PPPoE', ETHERNET, `${ETHERNET_ADDRESSES}88641100000100ca0021`],
  ['PPPoE', ETHERNET, `${ETHERNET_ADDRESSES}8100000a88641100000100ca0021`],
  ['MPLS', ETHERNET, `${ETHERNET_ADDRESSES}884700010140`],
  ['GRE', RAW, '450000e000000000402f66bf0a0101010a01010200000800'],
  ['IP in IP', RAW, '450000dc00000000400466ee0a0101010a010102'],
  ['link type 127', RADIOTAP, '0000080000000000'],
] as const;

for (const [name, linkType, header] of WRAPPINGS) {
  test(`media inside ${name} are not read, and that is said (${header.length / 2} octets)`, async (t) => {
    const { status, err } = await replay(wrapped(header).write(linkType));
    t.is(status, 1);
    t.true(err.includes(`(what is in ${name} is not read)`), err);
  });
}

test('media inside GTP-U are not read, and that is said', async (t) => {
  const story = new Story();
  for (const inner of new Story().rtp(UE, MEDIA, 6).octets) {
    const header = Uint8Array.from([0x30, 0xff, 0, inner.length, 0, 0, 0, 1]);
    story.udp('10.1.1.1:2152', '10.1.1.2:2152', Buffer.concat([header, inner]));
  }
  const { err } = await story.replay();
  t.true(err.includes('(what is in GTP-U is not read)'), err);
});

test('beside media that were found, what is not read is named', async (t) => {
  const packets = new Story().rtp(UE, MEDIA, 6).octets;
  const file = newFile('two interfaces.pcapng');
  const octets = packets.map((packet, i) =>
    enhanced('little', { interfaceNumber: i % 2, ticks: BigInt(i), octets: Buffer.from(packet) }),
  );
  const more = packets.map((packet, i) =>
    enhanced('little', { ticks: BigInt(100 + i), octets: Buffer.from(packet) }),
  );
  const interfaces = [described('little', RAW), described('little', RADIOTAP)];
  writeFileSync(file, Buffer.concat([section('little'), ...interfaces, ...octets, ...more]));
  const { status, total } = await replay(file);
  t.is(status, 0);
  t.like(total, { carried: 9, unrelated: 3 });
  t.deepEqual(total.unread, ['link type 127']);
});

test('[RFC8200] fragmented packets with a piece missing or contradicting are counted', async (t) => {
  const story = new Story();
  for (let n = 1; n <= 9; n++) {
    const [first, second] = halves(udpPacket(UE, MEDIA, rtpPacket(n)), n);
    story.packet(first);
    if (n === 3) story.packet(halves(udpPacket(UE, MEDIA, rtpPacket(99)), n)[0]);
    if (n !== 6) story.packet(second);
    story.wait(20);
  }
  const { status, total } = await story.replay();
  t.is(status, 0);
  t.like(total, { mediaPackets: 7, carried: 7, incomplete: 2, fragments: 18 });
});

for (const [name, options] of [
  ['seconds since 1970 of 2^64', option('little', OPTION_RESOLUTION, Buffer.from([0]))],
  ['an offset of 2^62 seconds', option('little', OPTION_OFFSET, seconds(2n ** 62n))],
  ['an offset of minus 2^62 seconds', option('little', OPTION_OFFSET, seconds(-(2n ** 62n)))],
] as const) {
  test(`a time that no clock has shown: ${name}`, async (t) => {
    const file = newFile('time.pcapng');
    const packets = new Story().rtp(UE, MEDIA, 6).octets.map((packet, i) =>
      enhanced('little', {
        ticks: 0xffff_ffff_ffff_f000n + BigInt(i),
        octets: Buffer.from(packet),
      }),
    );
    const withOptions = described('little', RAW, 0, options);
    writeFileSync(file, Buffer.concat([section('little'), withOptions, ...packets]));
    const { status, err, total } = await replay(file);
    t.is(err, '');
    t.is(status, 0);
    t.like(total, { carried: 6 });
  });
}

function seconds(offset: bigint): Buffer {
  const b = Buffer.alloc(8);
  b.writeBigInt64LE(offset);
  return b;
}

/** An IPv4 packet with a header of 20 octets as two fragments. */
function halves(packet: Uint8Array, id: number): [Uint8Array, Uint8Array] {
  const middle = 20 + 80;
  const piece = (from: number, to: number, bits: number) => {
    const b = Buffer.concat([packet.subarray(0, 20), packet.subarray(from, to)]);
    b.writeUInt16BE(b.length, 2);
    b.writeUInt16BE(id, 4);
    b.writeUInt16BE(bits, 6);
    b.writeUInt16BE(0, 10);
    let sum = 0;
    for (let at = 0; at < 20; at += 2) sum += b.readUInt16BE(at);
    b.writeUInt16BE(0xffff - (sum % 0xffff), 10);
    return b;
  };
  return [piece(20, middle, 0x2000), piece(middle, packet.length, (middle - 20) / 8)];
}

test('a tunnel that was opened anew after a silence is written as another connection', async (t) => {
  const file = newFile('tunnel.pcap');
  const story = new Story().rtp(UE, MEDIA, 6).wait(7_200_000).rtp(UE, MEDIA, 6, 7);
  const { total } = await story.replay('--tunnel-out', file);
  t.like(total, { ok: true, carried: 12 });
  const { packets } = await readAll(file);
  const opened = packets
    .map(({ octets }) => Buffer.from(octets, 'hex'))
    .filter((b) => b.readUInt8(20 + 13) === 0x02);
  const ports = opened.map((b) => b.readUInt16BE(20));
  t.true(ports.length > 1);
  t.is(new Set(ports).size, ports.length);
});

test('UDP over IPv6 without a checksum: of the media, and dropped by that name', async (t) => {
  const [ue, media] = ['[2001:db8:20::2]:4000', '[2001:db8:7::7]:30000'];
  const story = new Story().rtp(ue, media, 6).udp(ue, media, rtpPacket(7), true);
  const { status, total } = await story.replay();
  t.is(status, 1);
  t.like(total, { mediaPackets: 7, uplink: 7, carried: 6, unrelated: 0 });
  t.deepEqual(total.dropped, { 'udp-checksum-absent': 1 });
});
