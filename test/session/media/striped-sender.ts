/**
 * A media sender over simulated TCP connections, and calls that use it: what the agents do with a tunnel
 * that is up, in one direction. Tells how late each packet came.
 */
import { FrameBuffer } from '../../../framing/frame-buffer.ts';
import { CHANNELS } from '../../../framing/framing.ts';
import { innerIp } from '../../../framing/inner-ip/inner-ip.ts';
import { ClientConnection } from '../../../session/client-connection.ts';
import { Connections } from '../../../session/connections.ts';
import { Counters } from '../../../session/counters.ts';
import { MediaFlow } from '../../../session/media/media-flow.ts';
import { MediaSender } from '../../../session/media/media-sender.ts';
import { StripeCount } from '../../../session/stripe-count.ts';
import { writeUdpPacket } from '../../../wire/build.ts';
import { setU32, u32 } from '../../../wire/bytes.ts';
import { PacketView, readPacket } from '../../../wire/packet.ts';
import { FakeClock } from '../../sim/clock.ts';
import { type LossyPath, LossyTcp } from '../../sim/lossy-tcp.ts';
import { endpoint } from '../direct.ts';

const FROM = endpoint('10.0.0.2:4000');
const TO = endpoint('192.0.2.9:30000');
const RTP_LEN = 172;
const PACKET_MS = 20;
/** How often TEP-C judges the number of its connections, and how long one takes: three round trips of 40 ms. */
const LOOK_MS = 50;
const OPENING_MS = 120;
/** Where a packet carries its number: behind the RTP header. */
const NUMBER_AT = 12;

export class StripedSender {
  readonly clock = new FakeClock();
  readonly counters = new Counters();
  /** By number of the packet: how late it came; undefined: not at all. */
  readonly delaysMs: (number | undefined)[] = [];
  /** Numbers as they came, by connection. */
  readonly came: number[][] = [];
  readonly sender: MediaSender<ClientConnection>;
  /** Whether the sender is told what TCP knows. */
  knowsKernel = true;
  readonly #connections: Connections<ClientConnection, never>;
  readonly #tcp: LossyTcp[] = [];
  readonly #flows: MediaFlow[] = [];
  readonly #view = new PacketView();
  readonly #sentMs: number[] = [];
  readonly #ready: ClientConnection[] = [];
  readonly #path: LossyPath;
  #count: StripeCount | undefined;
  /** Connections that there are or are being made. */
  #asked = 0;

  constructor(stripes: number, path: LossyPath) {
    this.#path = path;
    const { counters } = this;
    const ready = this.#ready;
    this.#connections = new Connections<ClientConnection, never>({
      counters,
      random: (n) => new Uint8Array(n),
      gone: () => {},
      fill: (c, now) => this.sender.fill(c, now),
      learnt: (c, now) => this.sender.learnt(c, now),
    });
    this.sender = new MediaSender({ connections: this.#connections, ready, counters });
    for (let conn = 0; conn < stripes; conn++) this.#open(conn);
  }

  get stripes(): number {
    return this.#ready.length;
  }

  /** The number of connections follows the path from now on, between 1 and `most`, for so long. */
  adapt(most: number, ms: number): void {
    this.#count = new StripeCount(1, most, this.clock.now);
    for (let at = 0; at < ms; at += LOOK_MS) this.clock.after(at, () => this.#adapt());
  }

  /** So many calls of G.711, spread over the 20 ms of a packet. */
  talk(calls: number, ms: number): void {
    for (let call = 0; call < calls; call++) {
      this.#flows.push(new MediaFlow());
      const first = this.clock.now + (call * PACKET_MS) / calls;
      for (let at = 0; at < ms; at += PACKET_MS) this.clock.at(first + at, () => this.#say(call));
    }
    this.clock.runFor(ms + 5_000);
  }

  /** The delay that so great a share of the packets does not exceed; Infinity where more were lost. */
  percentileMs(share: number): number {
    const sorted = this.delaysMs
      .map((delay) => delay ?? Number.POSITIVE_INFINITY)
      .sort((a, b) => a - b);
    return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  }

  /** The share of packets that came later than that, or not at all. */
  laterThan(ms: number): number {
    const late = this.delaysMs.filter((delay) => delay === undefined || delay > ms);
    return late.length / this.delaysMs.length;
  }

  #adapt(): void {
    const { now } = this.clock;
    const wanted = this.#count?.wanted(this.counters.sentRecords, now) ?? 1;
    this.#ready.splice(wanted);
    for (let conn = this.#asked; conn < wanted; conn++) {
      this.clock.after(OPENING_MS, () => this.#open(this.#tcp.length));
    }
    this.#asked = wanted;
  }

  #open(conn: number): void {
    this.#ready.push(this.#newConnection(conn, this.#path));
    this.#asked = Math.max(this.#asked, this.#ready.length);
  }

  #newConnection(conn: number, path: LossyPath): ClientConnection {
    const { now } = this.clock;
    const c = new ClientConnection(conn, conn, {}, { mechanism: 'none' }, now);
    c.enter('ready', now);
    this.#connections.add(c);
    const came: number[] = [];
    this.came.push(came);
    const frames = new FrameBuffer(innerIp);
    this.#tcp.push(
      new LossyTcp(this.clock, path, {
        received: (octets) => {
          frames.append(octets, 0, octets.length);
          while (frames.next()) {
            if (frames.channel !== CHANNELS.IP) continue;
            came.push(this.#arrived(frames.bytes, frames.start, frames.end));
          }
        },
        writable: () => this.#write(conn),
      }),
    );
    return c;
  }

  #say(call: number): void {
    const number = this.delaysMs.length;
    const payload = new Uint8Array(RTP_LEN);
    payload[0] = 0x80;
    setU32(payload, NUMBER_AT, number);
    const b = new Uint8Array(RTP_LEN + 28);
    const end = writeUdpPacket(b, 0, FROM, TO, payload, 0, RTP_LEN);
    readPacket(this.#view, b, 0, end);
    this.delaysMs.push(undefined);
    this.#sentMs.push(this.clock.now);
    const flow = this.#flows[call];
    if (flow === undefined) throw new RangeError(`no call ${call}`);
    this.#tell();
    this.sender.send(flow, b, this.#view, this.clock.now);
    this.#settle();
    this.#setTimer();
  }

  #arrived(b: Uint8Array, at: number, end: number): number {
    if (readPacket(this.#view, b, at, end) !== 0) throw new Error('what came is no packet');
    const number = u32(b, this.#view.payload + NUMBER_AT);
    if (this.delaysMs[number] !== undefined) throw new Error(`${number} came twice`);
    this.delaysMs[number] = this.clock.now - (this.#sentMs[number] ?? 0);
    return number;
  }

  #settle(): void {
    const connections = this.#connections;
    for (let conn = connections.writable(); conn >= 0; conn = connections.writable()) {
      this.#write(conn);
    }
  }

  #write(conn: number): void {
    const { now } = this.clock;
    const tcp = this.#tcp[conn];
    for (;;) {
      const octets = this.#connections.pending(conn, now);
      if (octets.length === 0 || tcp === undefined) return;
      const taken = tcp.write(octets);
      this.#connections.wrote(conn, taken, now);
      if (taken < octets.length) return;
    }
  }

  #tell(): void {
    if (!this.knowsKernel) return;
    for (const [conn, { outstanding, isTroubled }] of this.#tcp.entries()) {
      const state = { outstanding, isTroubled, rttMs: 40 };
      this.#connections.carrier(conn, state, this.clock.now);
      if (isTroubled) this.#count?.lossSeen(this.clock.now);
    }
  }

  #setTimer(): void {
    const due = this.sender.nextTimeout();
    if (due === Number.POSITIVE_INFINITY) return;
    this.clock.at(due, () => {
      if (this.sender.nextTimeout() > this.clock.now) return;
      this.#tell();
      this.sender.timeout(this.clock.now);
      this.#settle();
      this.#setTimer();
    });
  }
}
