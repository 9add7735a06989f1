import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { LINK_TYPES } from '../../../io/pcap/link-types.ts';
import { CaptureWriter } from '../../../io/pcap/write.ts';
import { streamsBetween } from '../../../lab/calls/streams.ts';
import { parseEndpoint } from '../../../wire/address.ts';
import { writeUdpPacket } from '../../../wire/build.ts';
import { setU16, setU32 } from '../../../wire/bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'tep-streams-'));
test.after.always(() => rmSync(folder, { recursive: true }));

const PACKETS = 50;
const PACKET_MS = 20;
/** Across the end of the sequence numbers. */
const FIRST = 65_500;

/** Packets `numbers` of the stream, each `delayMs` after it was sent. */
function capture(name: string, numbers: readonly number[], delayMs: number): string {
  const file = join(folder, name);
  const writer = new CaptureWriter(file, { linkType: LINK_TYPES.RAW, precision: 'microseconds' });
  const from = parseEndpoint('192.0.2.1:4000');
  const to = parseEndpoint('192.0.2.2:5000');
  if (from === undefined || to === undefined) throw new Error('no endpoints');
  const rtp = new Uint8Array(172);
  const packet = new Uint8Array(200);
  rtp[0] = 0x80;
  setU32(rtp, 8, 0x1234);
  for (const i of numbers) {
    setU16(rtp, 2, (FIRST + i) % 65_536);
    const n = writeUdpPacket(packet, 0, from, to, rtp, 0, rtp.length);
    const ms = i * PACKET_MS + delayMs;
    writer.write(Math.floor(ms / 1_000), (ms % 1_000) * 1e6, packet, 0, n);
  }
  writer.finish();
  return file;
}

const all = Array.from({ length: PACKETS }, (_, i) => i);

test('every packet heard: no loss, the delay between the captures', async (t) => {
  const [stream, ...more] = await streamsBetween(capture('out', all, 0), capture('into', all, 40));
  t.deepEqual(more, []);
  t.like(stream, {
    ssrc: 0x1234,
    way: 'up',
    sent: PACKETS,
    heard: PACKETS,
    lost: 0,
    gaps: 0,
    late: 0,
  });
  t.true(Math.abs((stream?.delayMs.p50 ?? 0) - 40) < 1);
  t.true((stream?.mos ?? 0) > 4.3);
});

test('a packet missing in the middle is a gap; the last ones are none, nor lost', async (t) => {
  const heard = all.filter((i) => i !== 20 && i < PACKETS - 3);
  const [stream] = await streamsBetween(capture('out2', all, 0), capture('into2', heard, 5));
  t.like(stream, { heard: PACKETS - 4, lost: 1, gaps: 1 });
});

test('a stream that ends long before its sender does is lost', async (t) => {
  const [stream] = await streamsBetween(
    capture('out3', all, 0),
    capture('into3', all.slice(0, 10), 5),
  );
  t.true((stream?.lost ?? 0) > 20);
  t.true((stream?.mos ?? 5) < 3);
});

test('what overtook another is late; the other way round is down', async (t) => {
  const swapped = [...all];
  swapped.splice(10, 2, 11, 10);
  const [stream] = await streamsBetween(capture('in4', swapped, 5), capture('out4', all, 0));
  t.like(stream, { way: 'down', late: 1, gaps: 0, lost: 0 });
});

test('a capture that began earlier does not turn a stream round', async (t) => {
  const sent = capture('out5', all.slice(20), 0);
  const [stream] = await streamsBetween(sent, capture('into5', all, 5));
  t.like(stream, { way: 'up', gaps: 0, lost: 0 });
});
