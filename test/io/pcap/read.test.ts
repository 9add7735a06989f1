import { Buffer } from 'node:buffer';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { captureFaultText, readCapture } from '../../../io/pcap/read.ts';
import { classicFile, readAll, readOctets, temporaryFolder } from './make.ts';

const folder = temporaryFolder();

for (const [name, octets, kind, reason] of [
  ['an empty file', Buffer.alloc(0), 'empty', /empty/],
  ['three octets', Buffer.from('d4c3b2', 'hex'), 'truncated', /only 3 octets/],
  ['gzip', gzipSync(classicFile()), 'unsupported', /gzip; unpack it first \(gunzip\)/],
  ['zstd', Buffer.from('28b52ffd0458', 'hex'), 'unsupported', /zstd/],
  ['xz', Buffer.from('fd377a585a000004', 'hex'), 'unsupported', /xz/],
  ['snoop', Buffer.from('736e6f6f7000000000000002', 'hex'), 'unsupported', /snoop.*editcap/],
  ['text', Buffer.from('Frame 1: 74 bytes — UTF-8 …\r\n'), 'unsupported', /a text file/],
  ['an ELF program', Buffer.from('7f454c460201', 'hex'), 'unsupported', /begins with 7f454c46/],
] as const) {
  test(`${name} is named for what it is`, async (t) => {
    const { packets, capture } = await readOctets(folder, octets);
    t.is(packets.length, 0);
    t.is(capture.fault?.kind, kind);
    t.regex(capture.fault?.reason ?? '', reason);
  });
}

test('what is not a file is not opened', async (t) => {
  const missing = await readAll(join(folder, 'missing.pcap'));
  t.is(missing.capture.fault?.kind, 'unreadable');
  t.is(missing.capture.fault?.reason, 'no such file');
  mkdirSync(join(folder, 'directory.pcap'));
  const directory = await readAll(join(folder, 'directory.pcap'));
  t.is(directory.capture.fault?.kind, 'unreadable');
  t.is(directory.capture.fault?.reason, 'a directory, not a file');
  t.is((await readAll('/dev/null')).capture.fault?.reason, 'a pipe or device, not a file');
});

test('a fault in one line names file, kind, place and reason', (t) => {
  const fault = { kind: 'corrupt', file: 'a.pcap', offset: 40, reason: 'bad length' } as const;
  t.is(captureFaultText(fault), 'a.pcap: corrupt at octet 40: bad length');
  t.is(captureFaultText({ ...fault, offset: 0 }), 'a.pcap: corrupt: bad length');
});

test('reading stops without trouble when the reader wants no more', async (t) => {
  const packets = Array.from({ length: 20_000 }, (_, i) => ({
    seconds: i,
    fraction: 0,
    octets: Buffer.alloc(300),
  }));
  const file = join(folder, 'long.pcap');
  writeFileSync(file, classicFile({ packets }));
  const capture = readCapture(file);
  for await (const batch of capture) {
    t.true(batch.length < 8000);
    break;
  }
  t.is(capture.fault, undefined);
  t.true(capture.octetsRead < 1_100_000);
});
