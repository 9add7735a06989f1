import { Buffer } from 'node:buffer';
import fs, {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import test from 'ava';
import type { CaptureWriterOptions } from '../../../io/pcap/encode.ts';
import { LINK_TYPES } from '../../../io/pcap/link-types.ts';
import { CaptureWriteError, CaptureWriter } from '../../../io/pcap/write.ts';
import { peerOutput, peerTest } from '../../peers.ts';
import { type ReadPacket, readAll, temporaryFolder } from './make.ts';

const folder = temporaryFolder();
/** IPv4, UDP 192.0.2.10:40000 -> 198.51.100.7:5004, payload deadbeef. */
const PACKET = Buffer.from(
  '450000200001400040114e87c000020ac63364079c40138c000cc626deadbeef',
  'hex',
);
const FORMS = [
  { linkType: LINK_TYPES.RAW, precision: 'microseconds' },
  { linkType: LINK_TYPES.RAW, precision: 'nanoseconds' },
  { linkType: LINK_TYPES.ETHERNET, precision: 'microseconds' },
] as const satisfies readonly CaptureWriterOptions[];

/** A disk that takes so many octets while `work` goes on. */
function onDiskOf(octets: number, work: () => void): void {
  const { writeSync } = fs;
  let room = octets;
  const write = (fd: number, b: Uint8Array, at = 0) => {
    const n = Math.min(room, b.length - at);
    if (n === 0) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    room -= n;
    return writeSync(fd, b, at, n);
  };
  fs.writeSync = write as typeof writeSync;
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    fs.writeSync = writeSync;
    syncBuiltinESMExports();
  }
}

/** Until the disk is full. */
function fill(writer: CaptureWriter): void {
  for (let i = 0; ; i++) writer.write(i, 0, PACKET, 0, PACKET.length);
}

test.serial('the disk is full: what was written is kept, in whole records', async (t) => {
  const file = join(folder, 'full.pcap');
  const writer = new CaptureWriter(file, FORMS[0]);
  // In the middle of the third piece that is written.
  onDiskOf(700_000, () => t.throws(() => fill(writer), { instanceOf: CaptureWriteError }));
  t.false(existsSync(file));
  t.true(writer.salvage());
  const { packets, capture } = await readAll(file);
  t.is(capture.fault, undefined);
  t.true(packets.length > 10_000);
  t.is(packets.at(-1)?.octets, PACKET.toString('hex'));
  t.false(writer.salvage(), 'it has ended');
  t.true(existsSync(file));
});

test.serial('the disk is full from the start: there is no file', (t) => {
  const file = join(folder, 'nothing.pcap');
  const writer = new CaptureWriter(file, FORMS[0]);
  onDiskOf(100, () => t.throws(() => fill(writer), { instanceOf: CaptureWriteError }));
  t.false(writer.salvage());
  t.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('nothing')),
    [],
  );
});

for (const form of FORMS) {
  const name = `${form.precision}, link type ${form.linkType}`;

  test(`${name}: what is written is read back`, async (t) => {
    const { packets, capture } = await readAll(written(`${name}.pcap`, form, 3));
    t.is(capture.fault, undefined);
    t.deepEqual(packets, expected(form, 3));
  });

  peerTest('capinfos', `${name}: capinfos reads it`, async (t) => {
    const file = written(`${name} capinfos.pcap`, form, 5);
    const table = await peerOutput('capinfos', ['-TmQ', '-t', '-E', '-c', file]);
    const type = form.precision === 'microseconds' ? 'pcap' : 'nsecpcap';
    const link = form.linkType === LINK_TYPES.RAW ? 'rawip' : 'ether';
    t.regex(table, new RegExp(`"${type}","${link}","5"`));
  });

  for (const format of ['pcap', 'nsecpcap', 'pcapng'] as const) {
    peerTest('editcap', `${name}: what editcap makes of it as ${format} is read`, async (t) => {
      const file = written(`${name} for ${format}.pcap`, form, 4);
      const other = join(folder, `${name} by editcap.${format}`);
      await peerOutput('editcap', ['-F', format, file, other]);
      const { packets, capture } = await readAll(other);
      t.is(capture.fault, undefined);
      t.deepEqual(packets, expected(format === 'pcap' ? FORMS[0] : form, 4, form.linkType));
    });
  }
}

peerTest('tshark', 'tshark shows time, addresses and a good checksum', async (t) => {
  const file = written('tshark.pcap', FORMS[1], 1);
  const fields = ['frame.time_epoch', 'ip.src', 'udp.dstport', 'udp.checksum.status'];
  const options = ['-o', 'udp.check_checksum:TRUE', '-T', 'fields', '-E', 'separator=,'];
  const args = ['-r', file, ...options, ...fields.flatMap((f) => ['-e', f])];
  const line = await peerOutput('tshark', args);
  t.is(line, '1763700000.123456789,192.0.2.10,5004,1\n');
});

peerTest('tcpdump', 'what tcpdump writes from it is read', async (t) => {
  const file = written('tcpdump.pcap', FORMS[0], 2);
  const other = join(folder, 'by tcpdump.pcap');
  await peerOutput('tcpdump', [
    '-r',
    file,
    '-w',
    other,
    ...(process.getuid?.() === 0 ? ['-Z', 'root'] : []),
  ]);
  const { packets } = await readAll(other);
  t.deepEqual(packets, expected(FORMS[0], 2));
});

test('a file has its name only when it is finished, and replaces an older one whole', (t) => {
  const file = join(folder, 'late.pcap');
  writeFileSync(file, 'older');
  const writer = new CaptureWriter(file, FORMS[0]);
  writer.write(1, 0, PACKET, 0, PACKET.length);
  t.is(readFileSync(file, 'utf8'), 'older');
  writer.finish();
  t.is(readFileSync(file).length, 24 + 16 + PACKET.length);
  t.deepEqual(leftOver('late.pcap'), []);
});

test('discarded: nothing is left behind', (t) => {
  const writer = new CaptureWriter(join(folder, 'never.pcap'), FORMS[0]);
  writer.write(1, 0, PACKET, 0, PACKET.length);
  writer.discard();
  t.false(existsSync(writer.file));
  t.deepEqual(leftOver('never.pcap'), []);
});

test('a packet too long for the format is our own mistake', (t) => {
  const writer = new CaptureWriter(join(folder, 'long.pcap'), FORMS[0]);
  const longest = Buffer.alloc(262_145);
  writer.write(1, 0, longest, 0, 262_144);
  t.throws(() => writer.write(1, 0, longest, 0, 262_145), { instanceOf: RangeError });
  writer.discard();
});

test('a folder that is not there is told with the name of the file', (t) => {
  const file = join(folder, 'none', 'a.pcap');
  t.throws(() => new CaptureWriter(file, FORMS[0]), {
    instanceOf: CaptureWriteError,
    message: `${file}: cannot be written: no such directory`,
  });
});

test('what is no ordinary file is refused and stays what it is', (t) => {
  mkdirSync(join(folder, 'sub'));
  t.throws(() => new CaptureWriter(join(folder, 'sub'), FORMS[0]), { message: /: a directory$/ });
  t.throws(() => new CaptureWriter('/dev/null', FORMS[0]), { message: /: a pipe or device$/ });
});

test('a symbolic link stays one, and what it names is replaced', (t) => {
  const real = join(folder, 'real.pcap');
  const link = join(folder, 'link.pcap');
  writeFileSync(real, 'older');
  symlinkSync('real.pcap', link);
  const writer = new CaptureWriter(link, FORMS[0]);
  writer.finish();
  t.is(readlinkSync(link), 'real.pcap');
  t.is(readFileSync(real).length, 24);
});

test('two writers of one file: the second is refused, the first goes on', (t) => {
  const file = join(folder, 'twice.pcap');
  const writer = new CaptureWriter(file, FORMS[0]);
  t.throws(() => new CaptureWriter(file, FORMS[0]), { instanceOf: CaptureWriteError });
  writer.finish();
  t.is(readFileSync(file).length, 24);
});

test('a writer that failed to finish leaves nothing, and can be discarded', (t) => {
  const file = join(folder, 'became a folder.pcap');
  const writer = new CaptureWriter(file, FORMS[0]);
  mkdirSync(file);
  t.throws(() => writer.finish(), { instanceOf: CaptureWriteError });
  writer.discard();
  t.deepEqual(leftOver('became a folder.pcap'), []);
});

/** Writes `count` packets, each with one octet of poison before and behind in the buffer. */
function written(name: string, form: CaptureWriterOptions, count: number): string {
  const poisoned = Buffer.concat([Buffer.of(0xa5), PACKET, Buffer.of(0xa5)]);
  const writer = new CaptureWriter(join(folder, name), form);
  for (let i = 0; i < count; i++) {
    writer.write(1_763_700_000 + i, 123_456_789, poisoned, 1, 1 + PACKET.length);
  }
  writer.finish();
  return writer.file;
}

function expected(
  form: CaptureWriterOptions,
  count: number,
  linkType = form.linkType,
): ReadPacket[] {
  return Array.from({ length: count }, (_, i) => ({
    seconds: 1_763_700_000 + i,
    nanoseconds: form.precision === 'nanoseconds' ? 123_456_789 : 123_456_000,
    linkType,
    originalLength: PACKET.length,
    octets: PACKET.toString('hex'),
  }));
}

function leftOver(name: string): string[] {
  return readdirSync(folder).filter((entry) => entry.startsWith(`${name}.`));
}
