/**
 * The form of the files in test/vectors/tep-wire (its README.md says it for readers):
 *
 *     # free text
 *     @0 connection 1 opens 198.51.100.7:40000
 *     @0 connection 1 C>S
 *     0001 0008 2112a442 …          # what it is
 *     @20 packet ue>C
 *     4500 …
 *     @99 connection 1 ends by C
 */
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import type { EndedBy, Entry, Exchange, Way } from './exchange.ts';
import { readStun, type TinyAttribute, xorMapped } from './tiny-reader.ts';

export const FOLDER = new URL('../../../test/vectors/tep-wire/', import.meta.url);

export const PAGE = new URL('../../../docs/protocol.md', import.meta.url);

export const FILES: readonly string[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.hex'))
  .map((name) => name.slice(0, -'.hex'.length));

export function readVector(name: string): string {
  return readFileSync(new URL(`${name}.hex`, FOLDER), 'utf8');
}

const EVENT = /^@(\d+) (?:connection (\d+)|packet) (?:opens (\S+)|ends by (\S+)|(\S+>\S+))$/;

export function parseVector(text: string): Entry[] {
  const entries: Entry[] = [];
  let hex = '';
  let open: { at: number; conn: number; way: Way } | undefined;
  const close = () => {
    if (open) entries.push({ type: 'octets', ...open, octets: Buffer.from(hex, 'hex') });
    open = undefined;
    hex = '';
  };
  for (const line of text.split('\n')) {
    const bare = line.replace(/#.*/, '').trim();
    const event = EVENT.exec(bare);
    if (event === null) {
      if (bare !== '' && open === undefined) throw new Error(`octets of nothing: ${line}`);
      hex += hexOf(bare);
      continue;
    }
    close();
    const [, time, number = '0', peer, by, way] = event;
    const at = Number(time);
    const conn = Number(number);
    if (peer !== undefined) entries.push({ type: 'opens', at, conn, peer });
    else if (by !== undefined) entries.push({ type: 'ends', at, conn, by: by as EndedBy });
    else open = { at, conn, way: way as Way };
  }
  close();
  return entries;
}

/** The hex digits of a line without its remark. */
export function hexOf(line: string): string {
  const digits = line.replace(/#.*/, '').replace(/\s/g, '');
  if (!/^(?:[0-9a-f]{2})*$/.test(digits)) throw new Error(`not octets: ${line}`);
  return digits;
}

export function writeVector(exchange: Exchange, entries: readonly Entry[]): string {
  const lines = exchange.about.map((line) => `# ${line}`);
  let said = 0;
  for (const entry of entries) {
    if (entry.type !== 'octets') lines.push('', event(entry));
    else {
      lines.push('', `# ${exchange.says[said] ?? ''}`, event(entry), ...octetLines(entry));
      said += 1;
    }
  }
  if (said !== exchange.says.length) {
    throw new Error(`${exchange.name}: ${said} messages, ${exchange.says.length} explanations`);
  }
  return `${lines.join('\n')}\n`;
}

/** The page with the octets under each `<!-- call.hex 3 -->`: the third record or packet of that file. */
export function quoteVectors(page: string): string {
  return page.replace(
    /(<!-- ([a-z0-9-]+)\.hex (\d+) -->\n```hex\n)[^`]*```/g,
    (_, head: string, name: string, number: string) =>
      `${head}${quoted(readVector(name), Number(number))}\n\`\`\``,
  );
}

function quoted(vector: string, number: number): string {
  const found = vector.split(/^@.* (?:connection \d+|packet) \S+>\S+$/m)[number];
  if (found === undefined) throw new Error(`no record ${number}`);
  const lines = found.split('\n').map((line) => line.trimEnd());
  return lines.filter((line) => line !== '' && !/^[#@]/.test(line)).join('\n');
}

function event(entry: Entry): string {
  const { at, conn } = entry;
  if (entry.type === 'opens') return `@${at} connection ${conn} opens ${entry.peer}`;
  if (entry.type === 'ends') return `@${at} connection ${conn} ends by ${entry.by}`;
  return conn === 0 ? `@${at} packet ${entry.way}` : `@${at} connection ${conn} ${entry.way}`;
}

function octetLines({ octets }: { octets: Uint8Array }): string[] {
  if (octets[0] !== undefined && octets[0] > 1) return packetLines(Buffer.from(octets));
  const { attributes, octets: b, kind } = readStun(octets);
  const header = [b.subarray(0, 2), b.subarray(2, 4), b.subarray(4, 8), b.subarray(8, 20)];
  const lines = remarked(header, `Binding ${kind}`);
  for (const [i, one] of attributes.entries()) {
    const end = attributes[i + 1]?.at ?? b.length;
    const head = [b.subarray(one.at, one.at + 2), b.subarray(one.at + 2, one.at + 4)];
    const value = b.subarray(one.at + 4, end);
    const first = value.subarray(0, VALUE_LINE_LEN);
    lines.push(...remarked(first.length > 0 ? [...head, first] : head, meaning(one)));
    for (let at = VALUE_LINE_LEN; at < value.length; at += VALUE_LINE_LEN) {
      lines.push(
        `          ${value.toString('hex', at, Math.min(at + VALUE_LINE_LEN, value.length))}`,
      );
    }
  }
  return lines;
}

const VALUE_LINE_LEN = 24;
const REMARK_COLUMN = 62;

function remarked(parts: readonly Buffer[], remark: string): string[] {
  const hex = parts.map((part) => part.toString('hex')).join(' ');
  return [`${hex.padEnd(REMARK_COLUMN)} # ${remark}`];
}

const NAMES: Readonly<Record<number, string>> = {
  6: 'USERNAME',
  8: 'MESSAGE-INTEGRITY',
  9: 'ERROR-CODE',
  13: 'LIFETIME',
  20: 'REALM',
  21: 'NONCE',
  28: 'MESSAGE-INTEGRITY-SHA256',
  29: 'PASSWORD-ALGORITHM',
  30: 'USERHASH',
  32: 'XOR-MAPPED-ADDRESS',
  32770: 'PASSWORD-ALGORITHMS',
  32802: 'SOFTWARE',
  32808: 'FINGERPRINT',
  54240: 'TEP-TUNNEL',
  54241: 'TEP-BINDING',
  54242: 'TEP-CLOSE',
  54243: 'TEP-STRIPE',
  54244: 'TEP-STATS',
};

function meaning({ number, value }: TinyAttribute): string {
  const name = NAMES[number];
  if (name === undefined) throw new Error(`attribute ${number}`);
  const detail = detailOf(name, value);
  return detail === '' ? name : `${name} ${detail}`;
}

function detailOf(name: string, value: Buffer): string {
  switch (name) {
    case 'USERNAME':
    case 'REALM':
    case 'SOFTWARE':
    case 'NONCE':
      return value.toString('utf8');
    case 'ERROR-CODE':
      return `${value.readUInt8(2) * 100 + value.readUInt8(3)} ${value.toString('utf8', 4)}`;
    case 'LIFETIME':
      return `${value.readUInt32BE(0)} s`;
    case 'XOR-MAPPED-ADDRESS':
      return xorMapped(value);
    case 'PASSWORD-ALGORITHM':
    case 'PASSWORD-ALGORITHMS':
      return value
        .toString('hex')
        .replace(/(....)0000/g, (_, n) => (n === '0001' ? 'MD5 ' : 'SHA-256 '))
        .trim();
    case 'TEP-TUNNEL':
      return value.length === 0 ? '(empty)' : 'token';
    case 'TEP-STRIPE':
      return String(value.readUInt16BE(0));
    case 'TEP-BINDING':
      return `port ${value.readUInt16BE(0)}, flags ${value.toString('hex', 2, 3)}, protocol ${value.readUInt8(3)}`;
    case 'TEP-STATS':
      return `${value.readUInt32BE(4)} records, ${value.readUInt32BE(12)} octets, ${value.readUInt32BE(16)} dropped`;
    default:
      return '';
  }
}

function packetLines(b: Buffer): string[] {
  const lines = [
    ...remarked([b.subarray(0, 12), b.subarray(12, 16), b.subarray(16, 20)], headerRemark(b)),
    ...remarked([b.subarray(20, 28)], b.readUInt8(9) === 17 ? udpRemark(b) : 'ICMP'),
  ];
  for (let at = 28; at < b.length; at += VALUE_LINE_LEN) {
    lines.push(b.toString('hex', at, Math.min(at + VALUE_LINE_LEN, b.length)));
  }
  return lines;
}

function headerRemark(b: Buffer): string {
  const from = [...b.subarray(12, 16)].join('.');
  const to = [...b.subarray(16, 20)].join('.');
  return `IPv4 ${from} > ${to}`;
}

function udpRemark(b: Buffer): string {
  return `UDP ${b.readUInt16BE(20)} > ${b.readUInt16BE(22)}`;
}
