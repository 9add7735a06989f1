/**
 * `node rings-main.js OPTIONS`: a packet port `rings` with a little network behind it, for tests. OPTIONS
 * is JSON: what `openRings` wants, prefixes as text, and `hairpin` (below). Prints `open`, or `fault TEXT`
 * and ends. Each line on its standard input is a command and gets one line.
 *
 * The network behind: echo requests are answered. With `hairpin: [x, a, y, b]` hosts a and b, both real
 * addresses of this namespace, meet there: a calls b by the name of x, and seems to be y. With `echo`
 * every UDP packet goes back to where it came from.
 */
import { createInterface } from 'node:readline';
import { isIoFault } from '../../io/io-fault.ts';
import { openRings, type Rings } from '../../io/rings/rings.ts';
import type { Routing } from '../../io/rings/rules.ts';
import { type Endpoint, parseAddress, parseEndpoint } from '../../wire/address.ts';
import { writeUdpPacket } from '../../wire/build.ts';
import { equal, octetsOf, setU16, u8, u16 } from '../../wire/bytes.ts';
import { update } from '../../wire/checksum.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { type Prefix, parsePrefix } from '../../wire/prefix.ts';
import {
  checksumsRight,
  finishChecksums,
  rewriteDestination,
  rewriteSource,
} from '../../wire/rewrite.ts';

const UDP = 17;

interface Options {
  readonly name?: string;
  readonly table?: number;
  readonly priority?: number;
  readonly mark?: number;
  readonly routing: unknown;
  readonly hairpin?: readonly string[];
  readonly echo?: boolean;
}

const options = JSON.parse(process.argv[2] ?? '{}', revived) as Options & {
  readonly routing: Routing;
};
const pairs = inPairs((options.hairpin ?? []).map(addressOf));

const view = new PacketView();
/** Packets with checksums that the host left unfinished, and that are wrong even when finished. */
const seen = { packets: 0, unfinished: 0, wrong: 0, longest: 0, unreadable: 0, errors: 0 };

const opened = await openRings({
  ...options,
  failed: (fault) => say(`failed ${fault.code} ${fault.text}`),
});
if (isIoFault(opened)) {
  say(`fault ${opened.code} ${opened.text}`);
  process.exit(3);
}
const port: Rings = opened;
port.start((b, at, end) => {
  count(b, at, end);
  if (isPing(b, at)) answerPing(b, at, end);
  else if (readPacket(view, b, at, end) === 0) pass(b);
  setImmediate(() => port.flush());
});
say('open');

createInterface({ input: process.stdin }).on('line', async (line) => {
  const [verb, ...words] = line.split(' ');
  switch (verb) {
    case 'counters': {
      const { received, sent, dropped } = port.counters;
      say(JSON.stringify({ received, sent, dropped: Object.fromEntries(dropped), ...seen }));
      break;
    }
    case 'stall':
      say('stalled');
      for (const until = performance.now() + Number(words[0]); performance.now() < until; );
      break;
    case 'capture': {
      const at = words.map(endpoint);
      const faults = await Promise.all(at.map((each) => port.capture(each, UDP)));
      const fault = faults.find((each) => each !== undefined);
      say(fault === undefined ? `captured ${words.join(' ')}` : `fault ${fault.text}`);
      break;
    }
    case 'release':
      await Promise.all(words.map((text) => port.release(endpoint(text), UDP)));
      say(`released ${words.join(' ')}`);
      break;
    case 'send': {
      const [from, to] = words.map(endpoint) as [Endpoint, Endpoint];
      const packet = new Uint8Array(100);
      port.send(packet, 0, writeUdpPacket(packet, 0, from, to, Buffer.from('hello'), 0, 5));
      port.flush();
      say('sent');
      break;
    }
    case 'route': {
      const fault = await port.route(JSON.parse(words.join(' '), revived));
      say(fault === undefined ? 'routed' : `fault ${fault.text}`);
      break;
    }
    case 'close':
      await port.close();
      say('closed');
      process.exit(0);
  }
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function count(b: Uint8Array, at: number, end: number): void {
  seen.packets += 1;
  seen.longest = Math.max(seen.longest, end - at);
  const fault = readPacket(view, b, at, end);
  if (fault !== 0) {
    seen.unreadable += 1;
    return;
  }
  if (checksumsRight(b, view) === 0) return;
  seen.unfinished += 1;
  finishChecksums(b, view);
  if (checksumsRight(b, view) !== 0) seen.wrong += 1;
}

function isPing(b: Uint8Array, at: number): boolean {
  const four = u8(b, at) >> 4 === 4;
  if (four) return u8(b, at + 9) === 1 && u8(b, at + 20) === 8;
  return u8(b, at + 6) === 58 && u8(b, at + 40) === 128;
}

/** Swapped addresses change no sum; the type is the upper half of its word. */
function answerPing(b: Uint8Array, at: number, end: number): void {
  const four = u8(b, at) >> 4 === 4;
  const [addresses, length, icmp, delta] = four
    ? [at + 12, 4, at + 20, 0xffff - 0x0800]
    : [at + 8, 16, at + 40, 0x0100];
  const source = octetsOf(b, addresses, addresses + length);
  b.copyWithin(addresses, addresses + length, addresses + 2 * length);
  b.set(source, addresses + length);
  b[icmp] = four ? 0 : 129;
  setU16(b, icmp + 2, update(u16(b, icmp + 2), delta));
  port.send(b, at, end);
}

function pass(b: Uint8Array): void {
  if (view.isIcmpError) seen.errors += 1;
  else if (options.echo) echo(b);
  else hairpin(b);
}

/** Swapped addresses and ports change no sum. */
function echo(b: Uint8Array): void {
  const { addressLength: n, sourceAt, start, end, transport } = view;
  const source = octetsOf(b, sourceAt, sourceAt + n);
  b.copyWithin(sourceAt, sourceAt + n, sourceAt + 2 * n);
  b.set(source, sourceAt + n);
  const sourcePort = u16(b, transport);
  setU16(b, transport, u16(b, transport + 2));
  setU16(b, transport + 2, sourcePort);
  port.send(b, start, end);
}

function hairpin(b: Uint8Array): void {
  for (const [from, to] of pairs) {
    const { addressLength: n, destinationAt } = view;
    if (n !== from.name.length || !equal(b, destinationAt, from.name, 0, n)) continue;
    rewriteSource(b, view, to.name, 0, view.sourcePort);
    rewriteDestination(b, view, from.host, 0, view.destinationPort);
    port.send(b, view.start, view.end);
    return;
  }
}

interface Side {
  /** What the others call it. */
  readonly name: Uint8Array;
  readonly host: Uint8Array;
}

/** Of `x, a, y, b`: whoever calls x reaches b and seems to be y, and the other way round. */
function inPairs(addresses: readonly Uint8Array[]): [Side, Side][] {
  const pairs: [Side, Side][] = [];
  for (let i = 0; i + 3 < addresses.length; i += 4) {
    const [x, a, y, b] = addresses.slice(i, i + 4) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const callee = { name: x, host: b };
    const caller = { name: y, host: a };
    pairs.push([callee, caller], [caller, callee]);
  }
  return pairs;
}

function endpoint(text: string | undefined): Endpoint {
  const at = parseEndpoint(text ?? '');
  if (at === undefined) throw new RangeError(text);
  return at;
}

function addressOf(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new RangeError(text);
  return address;
}

function revived(key: string, value: unknown): unknown {
  if (key === 'prefix') return prefix(String(value));
  return key === 'prefixes' && Array.isArray(value) ? value.map(prefix) : value;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}
