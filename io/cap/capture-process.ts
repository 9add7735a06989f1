/**
 * The process that captures: the only one that loads `cap`, a binding of libpcap that takes its process
 * with it when something goes wrong (docs/dependencies.md).
 *
 *     node capture-process.js DEVICE FILTER
 *
 * So: one `open` in its life. Buffer and object are held by the module: cap does not hold the buffer it
 * writes to. An `open` that failed leaves an object that must not be collected nor closed: the process
 * ends at once. It says on its standard output what messages.ts describes, and ends when its standard
 * input does, as it does when whoever started it is gone.
 */
import { writeSync } from 'node:fs';
import type { Cap } from 'cap';
import { now } from '../clock.ts';
import { LINK_TYPES } from '../pcap/link-types.ts';
import { FRAME_HEAD_LEN, HEAD_LEN, KINDS, writeHead } from './messages.ts';

const STDOUT = 1;

/** Ring that the kernel fills: half a second of 100,000 RTP packets a second. */
const RING_OCTETS = 16 << 20;
/** cap asks libpcap for no more of a frame. */
const MAX_FRAME_LEN = 65_535;
/** Messages are written when so many octets have come together, or nothing more is there. */
const BATCH_OCTETS = 256 << 10;

/** What cap calls the link types it knows; others it calls `Unknown linktype 276`. */
const LINK_NAMES: Readonly<Record<string, number>> = {
  NULL: LINK_TYPES.NULL,
  ETHERNET: LINK_TYPES.ETHERNET,
  IEEE802_11_RADIO: 127,
  LINKTYPE_LINUX_SLL: LINK_TYPES.LINUX_SLL,
  RAW: LINK_TYPES.RAW,
};

const frame = Buffer.from(new ArrayBuffer(MAX_FRAME_LEN));
const batch = Buffer.from(
  new ArrayBuffer(BATCH_OCTETS + HEAD_LEN + FRAME_HEAD_LEN + MAX_FRAME_LEN),
);
let filled = 0;
let isScheduled = false;

const [device = '', filter = ''] = process.argv.slice(2);
const capture = open(await load());
process.stdin.on('end', finish).resume();

async function load(): Promise<Cap> {
  try {
    const { default: cap } = await import('cap');
    return new cap.Cap();
  } catch (error) {
    return fail('ENOLIBPCAP', error);
  }
}

function open(cap: Cap): Cap {
  cap.on('packet', take);
  try {
    const name = cap.open(device, filter, RING_OCTETS, frame);
    const body = Buffer.alloc(4);
    body.writeUInt32BE(LINK_NAMES[name] ?? Number(/\d+$/.exec(name)?.[0] ?? 0));
    say(KINDS.OPENED, body);
    return cap;
  } catch (error) {
    return fail('EPCAP', error);
  }
}

/** Copies the frame at once: the next one comes into the same octets. */
function take(length: number): void {
  const seconds = now() / 1_000;
  const whole = Math.floor(seconds);
  writeHead(batch, filled, KINDS.FRAME, FRAME_HEAD_LEN + length);
  batch.writeUInt32BE(whole, filled + HEAD_LEN);
  batch.writeUInt32BE(Math.floor((seconds - whole) * 1e9), filled + HEAD_LEN + 4);
  frame.copy(batch, filled + HEAD_LEN + FRAME_HEAD_LEN, 0, length);
  filled += HEAD_LEN + FRAME_HEAD_LEN + length;
  // cap goes on for as long as there are frames; the event loop may not get a turn for seconds.
  if (filled >= BATCH_OCTETS) flush();
  else schedule();
}

/** The check phase of this very turn: what was taken is out before the next look at the interface. */
function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(() => {
    isScheduled = false;
    flush();
  });
}

function flush(): void {
  const octets = batch.subarray(0, filled);
  filled = 0;
  write(octets);
}

function say(kind: number, body: Uint8Array): void {
  const head = Buffer.alloc(HEAD_LEN);
  writeHead(head, 0, kind, body.length);
  write(Buffer.concat([head, body]));
}

/** Waits for the reader: nothing may be lost when this process aborts a moment later. */
function write(octets: Uint8Array): void {
  for (let at = 0; at < octets.length; ) at += writeSync(STDOUT, octets, at);
}

function finish(): void {
  capture.close();
  flush();
  say(KINDS.CLOSED, Buffer.alloc(0));
  process.exit();
}

function fail(code: string, error: unknown): never {
  say(KINDS.FAILED, Buffer.from(`${code} ${error instanceof Error ? error.message : error}`));
  process.exit();
}
