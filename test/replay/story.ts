/** Captures told packet by packet, written to a file of their own, and replayed. */
import { join } from 'node:path';
import { command } from '../../cli/replay.ts';
import { CaptureWriter } from '../../io/pcap/write.ts';
import { parseEndpoint } from '../../wire/address.ts';
import { fakeWorld } from '../cli/world.ts';
import { temporaryFolder } from '../io/pcap/make.ts';
import { type Flow, icmpError, ipPacket, tcpSegment, udpDatagram } from '../wire/packets.ts';

const RAW = 101;
const START_SECONDS = 1_763_700_000;
const FOLDER = temporaryFolder();

let files = 0;

export interface Replayed {
  readonly status: number;
  readonly err: string;
  readonly out: string;
  /** Of the `--json` output: the sums, and what was found. */
  readonly total: Readonly<Record<string, unknown>>;
}

/** A file name of its own in a folder that goes when the tests end. */
export function newFile(name: string): string {
  files += 1;
  return join(FOLDER, `${files}-${name}`);
}

export class Story {
  readonly #frames: { ms: number; octets: Uint8Array }[] = [];
  #ms = 0;

  /** Lets time pass, or jumps back. */
  wait(ms: number): this {
    this.#ms += ms;
    return this;
  }

  packet(octets: Uint8Array): this {
    this.#frames.push({ ms: this.#ms, octets });
    return this;
  }

  udp(from: string, to: string, payload: Uint8Array, absent = false): this {
    return this.packet(udpPacket(from, to, payload, absent));
  }

  /** `count` RTP packets with a sequence number each, 20 ms apart. */
  rtp(from: string, to: string, count: number, first = 1, ssrc = 7): this {
    for (let i = 0; i < count; i++) this.udp(from, to, rtpPacket(first + i, ssrc)).wait(20);
    return this;
  }

  rtcp(from: string, to: string): this {
    return this.udp(from, to, Uint8Array.from([0x80, 201, 0, 1, 0, 0, 0, 7]));
  }

  sip(from: string, to: string, text: string): this {
    return this.udp(from, to, new TextEncoder().encode(text));
  }

  tcp(from: string, to: string, payload: string | Uint8Array, sequence?: number): this {
    return this.packet(tcpPacket(from, to, payload, sequence));
  }

  icmpAbout(from: string, to: string, embedded: Uint8Array): this {
    return this.packet(icmpError(host(from), host(to), embedded));
  }

  get octets(): readonly Uint8Array[] {
    return this.#frames.map((frame) => frame.octets);
  }

  write(linkType = RAW): string {
    const file = newFile('story.pcap');
    const writer = new CaptureWriter(file, { linkType, precision: 'nanoseconds' });
    for (const { ms, octets } of this.#frames) {
      const seconds = START_SECONDS + Math.floor(ms / 1000);
      const nanoseconds = (((ms % 1000) + 1000) % 1000) * 1_000_000;
      writer.write(seconds, nanoseconds, octets, 0, octets.length);
    }
    writer.finish();
    return file;
  }

  replay(...args: string[]): Promise<Replayed> {
    return replay(this.write(), ...args);
  }
}

export async function replay(...args: string[]): Promise<Replayed> {
  const world = fakeWorld();
  const status = await command.run([...args, '--json'], world);
  const total = JSON.parse(world.out());
  return { status, err: world.err(), out: world.out(), total: { ...total, ...total.files[0] } };
}

export function udpPacket(from: string, to: string, payload: Uint8Array, absent = false) {
  const flow = flowOf(from, to);
  return ipPacket(flow.source, flow.destination, 17, udpDatagram(flow, payload, absent));
}

export function tcpPacket(from: string, to: string, payload: string | Uint8Array, sequence = 1) {
  const flow = flowOf(from, to);
  const octets = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  const segment = tcpSegment(flow, octets);
  const before = new DataView(segment.buffer).getUint32(4);
  new DataView(segment.buffer).setUint32(4, sequence);
  correct(segment, 16, before, sequence);
  return ipPacket(flow.source, flow.destination, 6, segment);
}

/** A voice packet of 20 ms with a payload that tells its number. */
export function rtpPacket(sequence: number, ssrc = 7): Uint8Array {
  const b = new Uint8Array(172).fill(sequence & 0xff);
  b.set([0x80, 8, sequence >> 8, sequence, 0, 0, sequence >> 8, sequence, 0, 0, 0, ssrc]);
  return b;
}

export function sdp(host: string, port: number, more = ''): string {
  return `v=0\r\no=- 1 1 IN IP4 ${host}\r\ns=-\r\nc=IN IP4 ${host}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 8\r\n${more}`;
}

export function sipMessage(firstLine: string, body: string): string {
  return `${firstLine}\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function flowOf(from: string, to: string): Flow {
  const source = parseEndpoint(from);
  const destination = parseEndpoint(to);
  if (source === undefined || destination === undefined) throw new RangeError(`${from} ${to}`);
  return {
    source: source.address,
    destination: destination.address,
    sourcePort: source.port,
    destinationPort: destination.port,
  };
}

function host(endpoint: string): Uint8Array {
  return flowOf(endpoint, endpoint).source;
}

/** Brings a checksum in line with a changed 32-bit field, by plain arithmetic. */
function correct(b: Uint8Array, at: number, before: number, after: number): void {
  const view = new DataView(b.buffer);
  const words = (v: number) => (v >>> 16) + (v & 0xffff);
  const sum = 0xffff - view.getUint16(at) - words(before) + words(after);
  const folded = ((sum % 0xffff) + 0xffff) % 0xffff;
  view.setUint16(at, 0xffff - folded);
}
