/**
 * The golden vectors of the tunnel protocol (test/vectors/tep-wire): both ends do exactly what the
 * files say, and the files are right to readers that share nothing with the code. When an octet of the
 * protocol changes on purpose, scripts/make-tep-vectors.js writes them again.
 */
import { Buffer } from 'node:buffer';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import stun from 'stun';
import { peerOutput, peerTest } from '../peers.ts';
import { type Entry, record, replay } from './exchange.ts';
import { EXCHANGES, NAME, PASSWORD, REALM, SESSION } from './exchanges.ts';
import {
  attribute,
  fingerprintRight,
  integrityRight,
  keyOf,
  readPacket,
  readStun,
  recordLength,
  type TinyMessage,
  xorMapped,
} from './tiny-reader.ts';
import {
  FILES,
  hexOf,
  PAGE,
  parseVector,
  quoteVectors,
  readVector,
  writeVector,
} from './vector-file.ts';

/** How the messages of a file are signed, where not by SHA-256 of alice's password. */
const SHA256_KEY = keyOf('sha256', NAME, REALM, PASSWORD);
const MD5_KEY = keyOf('md5', NAME, REALM, PASSWORD);
const KEYS: Readonly<Record<string, readonly ['sha1' | 'sha256', string | Uint8Array]>> = {
  md5: ['sha256', MD5_KEY],
  rfc5389: ['sha1', MD5_KEY],
  'short-term': ['sha256', SESSION.password],
};

/** The numbers of our own begin here (tep-wire 4). */
const TEP_ATTRIBUTES = 0xd3e0;

type Octets = Extract<Entry, { type: 'octets' }>;
interface Told extends Octets {
  readonly message: TinyMessage;
}

function octetsOf(name: string): Octets[] {
  return parseVector(readVector(name)).filter((entry) => entry.type === 'octets');
}

/** The STUN messages on the connections of a file. */
function messagesOf(name: string): Told[] {
  return octetsOf(name)
    .filter(({ octets }) => isStun(octets))
    .map((entry) => ({ ...entry, message: readStun(entry.octets) }));
}

/** What is compared with the list below: who, what kind, which attributes of ours, which error. */
function outline({ way, message }: Told): string {
  const numbers = message.attributes.map(({ number }) => number);
  const ours = numbers.filter((n) => n >= TEP_ATTRIBUTES).map((n) => n.toString(16));
  const error = attribute(message, 0x0009);
  const code = error === undefined ? [] : [error.readUInt8(2) * 100 + error.readUInt8(3)];
  return [way, message.kind, ...ours, ...code].join(' ');
}

test('every exchange has its file, and every file its exchange', (t) => {
  t.deepEqual([...FILES].sort(), EXCHANGES.map(({ name }) => name).sort());
});

for (const exchange of EXCHANGES) {
  const { name } = exchange;

  test(`[M-08] [M-11] [M-13] [W-3] ${name}.hex: TEP-C and TEP-S together say what the file says`, (t) => {
    const entries = record(exchange);
    t.deepEqual(entries.map(plain), parseVector(readVector(name)).map(plain));
    t.is(writeVector(exchange, entries), readVector(name));
  });

  test(`[M-08] [W-3] ${name}.hex: TEP-C alone, against the octets of the file`, (t) => {
    t.deepEqual(replay(exchange, 'C', parseVector(readVector(name))), []);
  });

  test(`[M-08] [W-3] ${name}.hex: TEP-S alone, against the octets of the file`, (t) => {
    t.deepEqual(replay(exchange, 'S', parseVector(readVector(name))), []);
  });

  test(`[RFC8489] ${name}.hex: fingerprints, integrity, transactions and lengths by another reader`, (t) => {
    const [hash, key] = KEYS[name] ?? ['sha256', SHA256_KEY];
    const asked = new Map<string, TinyMessage>();
    for (const { message, octets } of messagesOf(name)) {
      t.is(recordLength(octets), octets.length);
      t.true(fingerprintRight(message));
      const last = message.attributes.at(-2)?.number;
      if (last === 0x0008 || last === 0x001c) t.true(integrityRight(message, hash, key));
      if (message.kind === 'indication') continue;
      const request = asked.get(message.transactionId);
      if (message.kind !== 'request') t.truthy(request, 'answers a request');
      asked.set(message.transactionId, message);
      if (message.kind === 'success' && request !== undefined) {
        // Signed like the request that it answers, and never weaker.
        t.is(attribute(message, 0x001c)?.length, attribute(request, 0x001c)?.length);
      }
    }
  });

  const packets = octetsOf(name).filter(({ octets }) => !isStun(octets));
  if (packets.length > 0) {
    test(`[M-12] [M-14] [W-6] ${name}.hex: packets by another reader`, (t) => {
      for (const { way, octets } of packets) {
        t.is(recordLength(octets), octets.length);
        const { source, destination } = readPacket(octets);
        const isUp = way === 'ue>C' || way === 'C>S' || way === 'S>core';
        const isInside = way === 'ue>C' || way === 'C>ue';
        t.regex(isUp ? source : destination, isInside ? /^10\.0\.0\.2/ : /^198\.51\.100\.7/);
        t.regex(isUp ? destination : source, /^192\.0\.2\.10/);
      }
      // TEP-S changes nothing: what it hands over and what it was given is the record.
      for (const [i, one] of packets.entries()) {
        const next = packets[i + 1];
        if (one.way === 'core>S') t.deepEqual(next?.octets, one.octets);
        if (next?.way === 'S>core') t.deepEqual(next.octets, one.octets);
      }
    });
  }

  test(`[M-08] ${name}.hex: what the npm package "stun" reads is what the other reader reads`, (t) => {
    for (const { message } of messagesOf(name)) asPackageReads(t, message);
  });
}

const OUTLINES: Readonly<Record<string, readonly string[]>> = {
  call: [
    ...opening(''),
    'C>S request d3e1',
    'S>C success d3e1',
    'C>S request d3e1',
    'S>C success d3e1',
    'C>S request d3e4',
    'S>C success d3e4',
    'C>S indication',
    'S>C indication',
    'C>S request d3e1',
    'C>S request d3e1',
    'S>C success d3e1',
    'S>C success d3e1',
    'C>S request d3e2',
    'S>C success d3e2',
  ],
  join: [...opening(''), ...opening(' d3e3'), 'C>S request d3e1', 'S>C success d3e1'],
  resume: [...opening(''), 'C>S request d3e1', 'S>C success d3e1', ...opening(' d3e3')],
  forgotten: [
    ...opening(''),
    'C>S request d3e1',
    'S>C success d3e1',
    ...opening(' d3e3').slice(0, 3),
    'S>C error 403',
    'C>S request d3e0',
    'S>C success d3e0',
    'C>S request d3e1',
    'S>C success d3e1',
  ],
  'stale-nonce': [
    ...opening(''),
    'C>S request d3e1',
    'S>C error 438',
    'C>S request d3e1',
    'S>C success d3e1',
  ],
  quota: [
    ...opening(''),
    'C>S request d3e1',
    'S>C success d3e1',
    'C>S request d3e1',
    'S>C error 486',
  ],
  'short-term': ['C>S request d3e0', 'S>C success d3e0', 'C>S request d3e1', 'S>C success d3e1'],
};

for (const [name, messages] of Object.entries(OUTLINES)) {
  test(`[M-08] [M-19] [W-3] [W-5] [W-7] ${name}.hex has the messages that it is about, in this order`, (t) => {
    t.deepEqual(messagesOf(name).map(outline), messages);
  });
}

test('[M-05] [W-5] call.hex: the application learns by STUN the address that was bound for it', (t) => {
  const packets = octetsOf('call');
  const at = packets.findIndex(({ way, octets }) => way === 'C>ue' && carriesStun(octets));
  const answer = readStun(readPacket(packets[at]?.octets ?? new Uint8Array(0)).payload);
  const granted = messagesOf('call').filter((one) => outline(one) === 'S>C success d3e1')[1];
  t.is(answer.transactionId, '0102030405060708090a0b0c');
  t.is(told(answer), granted && told(granted.message));
});

test('[M-18] call.hex: the connection ends when the last binding has been released for 10 s', (t) => {
  const entries = parseVector(readVector('call'));
  t.deepEqual(entries.at(-1), { type: 'ends', at: 30_200, conn: 1, by: 'C' });
});

test('[W-7] resume.hex: another token would be another tunnel; the public address stays', (t) => {
  const tokens = messagesOf('resume').flatMap(({ message }) => {
    const token = attribute(message, 0xd3e0)?.toString('hex') ?? '';
    return token === '' ? [] : [token];
  });
  t.is(tokens.length, 4);
  t.is(new Set(tokens).size, 1);
  const down = octetsOf('resume').find(({ way, conn }) => way === 'S>C' && conn === 2);
  t.truthy(down);
  const last = octetsOf('resume').at(-1);
  t.is(last && readPacket(last.octets).source, '198.51.100.7:20000');
});

test('an octet changed in a file is seen by both ends', (t) => {
  const exchange = EXCHANGES.find(({ name }) => name === 'call');
  if (exchange === undefined) return t.fail();
  const entries = parseVector(readVector('call'));
  for (const [i, entry] of entries.entries()) {
    if (entry.type !== 'octets' || entry.conn === 0) continue;
    const octets = Uint8Array.from(entry.octets);
    octets[octets.length - 1] = (octets.at(-1) ?? 0) ^ 1;
    const who = entry.way === 'C>S' ? 'C' : 'S';
    t.true(replay(exchange, who, entries.with(i, { ...entry, octets })).length > 0);
  }
});

test('every block of octets in docs/protocol.md is in one of the files', (t) => {
  const known = new Set(
    FILES.flatMap((name) => octetsOf(name).map(({ octets }) => hexText(octets))),
  );
  const page = readFileSync(PAGE, 'utf8');
  const blocks = [...page.matchAll(/^```hex\n([^`]*)^```$/gm)].map(([, block = '']) => block);
  t.true(blocks.length >= 10);
  for (const block of blocks) {
    const octets = block.split('\n').map(hexOf).join('');
    t.true(known.has(octets), `not in test/vectors/tep-wire:\n${block}`);
  }
  t.is(quoteVectors(page), page);
});

peerTest(
  'tshark',
  '[M-08] [M-12] tshark finds the messages, their checksums and attributes',
  async (t) => {
    const all = [
      ...new Map(FILES.flatMap(octetsOf).map((one) => [hexText(one.octets), one])).values(),
    ];
    const messages = all
      .filter(({ octets }) => isStun(octets))
      .map(({ octets }) => readStun(octets));
    const seen = await tshark(
      t,
      messages.map(({ octets }) => octets),
      ['-u', '40000,3478'],
      {
        filter: 'stun',
        fields: ['stun.type', 'stun.id', 'stun.att.type', 'stun.att.crc32.status'],
      },
    );
    t.deepEqual(
      seen,
      messages.map(({ octets, attributes, transactionId }) => [
        `0x${octets.toString('hex', 0, 2)}`,
        transactionId,
        // Attributes that tshark does not know have no type field there.
        attributes
          .filter(({ number }) => number < TEP_ATTRIBUTES)
          .map(({ number }) => `0x${number.toString(16).padStart(4, '0')}`)
          .join(','),
        '1',
      ]),
    );
    const packets = all.map(({ octets }) => octets).filter((octets) => !isStun(octets));
    const checked = await tshark(t, packets, ['-l', '101'], {
      filter: 'ip.checksum.status == 1 and (udp.checksum.status == 1 or icmp.checksum.status == 1)',
      fields: ['ip.len'],
    });
    t.deepEqual(
      checked.map(([length]) => Number(length?.split(',')[0])),
      packets.map(({ length }) => length),
    );
  },
);

/** The fields of each packet that the filter lets through. */
async function tshark(
  t: ExecutionContext,
  packets: readonly Uint8Array[],
  link: readonly string[],
  { filter, fields }: { filter: string; fields: readonly string[] },
): Promise<string[][]> {
  const folder = mkdtempSync(join(tmpdir(), 'tep-vectors-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const dump = join(folder, 'packets.txt');
  const capture = join(folder, 'packets.pcap');
  writeFileSync(dump, packets.map((octets) => `000000 ${spaced(octets)}\n`).join(''));
  await peerOutput('text2pcap', [...link, dump, capture]);
  const check = ['ip', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
  const wanted = fields.flatMap((field) => ['-e', field]);
  const args = ['-r', capture, ...check, '-Y', filter, '-T', 'fields', ...wanted];
  const lines = (await peerOutput('tshark', args)).trimEnd().split('\n');
  return lines.map((line) => line.split('\t'));
}

/** Only what the package reads well: no error codes, no integrity, no attributes foreign to it. */
function asPackageReads(t: ExecutionContext, message: TinyMessage): void {
  const theirs = stun.decode(Buffer.from(message.octets));
  const text = (number: number) => attribute(message, number)?.toString('utf8');
  t.is(theirs.type, message.octets.readUInt16BE(0));
  t.is(theirs.transactionId.toString('hex'), message.transactionId);
  t.is(theirs.getUsername(), text(0x0006));
  t.is(theirs.getRealm(), text(0x0014));
  t.is(theirs.getNonce(), text(0x0015));
  t.is(theirs.getSoftware(), text(0x8022));
  const address = theirs.getXorAddress();
  t.is(address && `${address.address}:${address.port}`, told(message));
  if (message.kind === 'indication') t.true(stun.validateFingerprint(theirs));
}

function opening(stripe: string): string[] {
  return [
    `C>S request d3e0${stripe}`,
    'S>C error 401',
    `C>S request d3e0${stripe}`,
    'S>C success d3e0',
  ];
}

function told(message: TinyMessage): string | undefined {
  const value = attribute(message, 0x0020);
  return value && xorMapped(value);
}

function isStun(octets: Uint8Array): boolean {
  return (octets[0] ?? 0) <= 1;
}

function carriesStun(octets: Uint8Array): boolean {
  const { protocol, payload } = readPacket(octets);
  return protocol === 17 && isStun(payload);
}

function plain(entry: Entry): unknown {
  return entry.type === 'octets' ? { ...entry, octets: hexText(entry.octets) } : entry;
}

function hexText(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}

function spaced(octets: Uint8Array): string {
  return hexText(octets).replace(/../g, '$& ').trimEnd();
}
