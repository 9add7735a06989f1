/**
 * Packets through a pair of tunnel ends, each with a number in its payload, and the judge of what
 * comes out: every delivered packet was sent, once, with the right five-tuple, payload and checksums.
 */
import type { Endpoint } from '../../wire/address.ts';
import { formatAddress, formatEndpoint } from '../../wire/address.ts';
import { writeUdpPacket } from '../../wire/build.ts';
import { equal, setU32, u8, u32 } from '../../wire/bytes.ts';
import { type Fault, faultName } from '../../wire/faults.ts';
import { PacketView, readPacket } from '../../wire/packet.ts';
import { checksumsRight } from '../../wire/rewrite.ts';
import type { SeededRandom } from './random.ts';

/** Where a number is found in the payload, and the least length for it. */
export const NUMBER_LEN = 4;
const POISON = 0xa5;
const MARGIN = 64;

export type Way = 'uplink' | 'downlink';

export interface Sent {
  readonly way: Way;
  /** Index of the client whose tunnel it is for. */
  readonly client: number;
  readonly number: number;
  /** As the receiver must see them. */
  readonly source: string;
  readonly destination: string;
  readonly payload: Uint8Array;
  readonly sentMs: number;
  result: 0 | Fault;
  /** Who carried it, written by the taps. */
  writtenTo: number;
  deliveredBy: number;
  deliveredMs: number;
}

/** So that ends see RTP: audio is type 0, video type 34. */
export interface Rtp {
  readonly type: number;
  readonly timestamp: number;
}

const RTP_LEN = 12;
/** No number of a packet begins with it. */
const RTP_FIRST = 0x80;

export class Traffic {
  /** Everything that must never happen, in words. A test wants it empty. */
  readonly wrongs: string[] = [];
  readonly sent: Sent[] = [];
  readonly #random: SeededRandom;
  readonly #view = new PacketView();
  /** Last number of each flow delivered by each connection: between flows there is no order. */
  readonly #last = new Map<string, number>();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /**
   * Gives a packet with these addresses to `carry`, which tunnels it; the receiver must see `expected`.
   */
  send(
    way: Way,
    client: number,
    from: Endpoint,
    to: Endpoint,
    expected: { readonly source: Endpoint; readonly destination: Endpoint },
    length: number,
    now: number,
    carry: (b: Uint8Array, at: number, end: number) => 0 | Fault,
    rtp?: Rtp,
  ): Sent {
    const number = this.sent.length;
    const payload = this.#random.octets(Math.max(length, NUMBER_LEN));
    setU32(payload, rtp === undefined ? 0 : RTP_LEN, number);
    if (rtp !== undefined) writeRtp(payload, rtp);
    const b = new Uint8Array(payload.length + 48 + 2 * MARGIN).fill(POISON);
    const end = MARGIN + writeUdpPacket(b, MARGIN, from, to, payload, 0, payload.length);
    const sent: Sent = {
      way,
      client,
      number,
      source: formatEndpoint(expected.source),
      destination: formatEndpoint(expected.destination),
      payload,
      sentMs: now,
      result: 0,
      writtenTo: -1,
      deliveredBy: -1,
      deliveredMs: -1,
    };
    this.sent.push(sent);
    sent.result = carry(b, MARGIN, end);
    const poisoned = [...b.subarray(0, MARGIN), ...b.subarray(end)].every((o) => o === POISON);
    if (!poisoned) this.wrongs.push(`${way} ${number}: octets around the packet changed`);
    return sent;
  }

  /** The number of the packet in a record, or -1. */
  numberIn(b: Uint8Array, at: number, end: number): number {
    const view = this.#view;
    if (readPacket(view, b, at, end) !== 0 || view.payloadEnd - view.payload < NUMBER_LEN)
      return -1;
    return u32(b, u8(b, view.payload) === RTP_FIRST ? view.payload + RTP_LEN : view.payload);
  }

  written(b: Uint8Array, at: number, end: number, connection: number): void {
    const sent = this.sent[this.numberIn(b, at, end)];
    if (sent === undefined) return;
    if (sent.writtenTo !== -1) this.wrongs.push(`${sent.number}: written twice`);
    sent.writtenTo = connection;
  }

  delivered(
    way: Way,
    b: Uint8Array,
    at: number,
    end: number,
    connection: number,
    now: number,
  ): Sent | undefined {
    const view = this.#view;
    const fault = readPacket(view, b, at, end) || checksumsRight(b, view);
    if (fault !== 0) {
      this.wrongs.push(`${way}: delivered with ${faultName(fault)}`);
      return undefined;
    }
    const sent = this.sent[this.numberIn(b, at, end)];
    if (sent === undefined || sent.way !== way) {
      this.wrongs.push(`${way}: delivered what was never sent`);
      return undefined;
    }
    this.#compare(sent, b, connection);
    sent.deliveredBy = connection;
    sent.deliveredMs = now;
    return sent;
  }

  /** How many packets of one way met each fate. */
  count(way: Way, of: (sent: Sent) => boolean): number {
    return this.sent.filter((sent) => sent.way === way && of(sent)).length;
  }

  #compare(sent: Sent, b: Uint8Array, connection: number): void {
    const view = this.#view;
    const say = (what: string) => this.wrongs.push(`${sent.way} ${sent.number}: ${what}`);
    if (sent.result !== 0) say('delivered though refused');
    if (sent.deliveredBy !== -1) say('delivered twice');
    const flow = [sent.way, sent.source, sent.destination, connection].join(' ');
    if ((this.#last.get(flow) ?? -1) >= sent.number) say('overtaken');
    this.#last.set(flow, sent.number);
    if (sent.writtenTo !== connection) say(`written to ${sent.writtenTo}, came by ${connection}`);
    const source = text(b, view.sourceAt, view.addressLength, view.sourcePort);
    const destination = text(b, view.destinationAt, view.addressLength, view.destinationPort);
    if (source !== sent.source) say(`source ${source}, not ${sent.source}`);
    if (destination !== sent.destination)
      say(`destination ${destination}, not ${sent.destination}`);
    const length = view.payloadEnd - view.payload;
    if (length !== sent.payload.length || !equal(b, view.payload, sent.payload, 0, length)) {
      say('payload changed');
    }
  }
}

function text(b: Uint8Array, at: number, length: number, port: number): string {
  const address = formatAddress(b, at, length);
  return length === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}

function writeRtp(payload: Uint8Array, { type, timestamp }: Rtp): void {
  payload.fill(0, 0, RTP_LEN);
  payload[0] = RTP_FIRST;
  payload[1] = type;
  setU32(payload, 4, timestamp);
}
