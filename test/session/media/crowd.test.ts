/** 1,000 calls through one connection on a busy machine: 50,000 packets a second, fake clock. */
import test from 'ava';
import { ClientConnection } from '../../../session/client-connection.ts';
import { Connections } from '../../../session/connections.ts';
import { Counters } from '../../../session/counters.ts';
import { MediaFlow } from '../../../session/media/media-flow.ts';
import { MediaSender } from '../../../session/media/media-sender.ts';
import { writeUdpPacket } from '../../../wire/build.ts';
import { PacketView, readPacket } from '../../../wire/packet.ts';
import { endpoint } from '../direct.ts';

const CALLS = 1_000;
const PER_MS = 50;
const RTP_LEN = 172;
const RECORD_LEN = RTP_LEN + 28;

class Crowd {
  readonly counters = new Counters();
  readonly sender: MediaSender<ClientConnection>;
  now = 1_000;
  written = 0;
  readonly #connections: Connections<ClientConnection, never>;
  readonly #flows = Array.from({ length: CALLS }, () => new MediaFlow());
  readonly #packet = new Uint8Array(RECORD_LEN);
  readonly #view = new PacketView();
  #said = 0;

  constructor() {
    const { counters } = this;
    this.#connections = new Connections<ClientConnection, never>({
      counters,
      random: (n) => new Uint8Array(n),
      gone: () => {},
      fill: (c, now) => this.sender.fill(c, now),
      learnt: () => {},
    });
    const c = new ClientConnection(0, 0, {}, { mechanism: 'none' }, this.now);
    c.enter('ready', this.now);
    this.#connections.add(c);
    this.sender = new MediaSender({ connections: this.#connections, ready: [c], counters });
    const payload = new Uint8Array(RTP_LEN);
    payload[0] = 0x80;
    const [from, to] = [endpoint('10.0.0.2:4000'), endpoint('192.0.2.9:30000')];
    const end = writeUdpPacket(this.#packet, 0, from, to, payload, 0, RTP_LEN);
    readPacket(this.#view, this.#packet, 0, end);
  }

  /** What comes in so many milliseconds, all of it at their end. */
  talk(ms: number): void {
    this.now += ms;
    for (let i = 0; i < ms * PER_MS; i++) {
      const flow = this.#flows[this.#said++ % CALLS];
      if (flow === undefined) throw new RangeError('no such call');
      const fault = this.sender.send(flow, this.#packet, this.#view, this.now);
      if (fault !== 0) this.counters.drop(fault);
    }
    this.sender.timeout(this.now);
  }

  /** The system takes all that it is given; the process is not let run for `callMs` in each call. */
  write(callMs: number): void {
    for (;;) {
      const { length } = this.#connections.pending(0, this.now);
      if (length === 0) return;
      this.now += callMs;
      this.written += length;
      this.#connections.wrote(0, length, this.now);
    }
  }

  /** The system is given all that it may have, and takes nothing of it. */
  stall(): void {
    this.#connections.pending(0, this.now);
    this.#connections.wrote(0, 0, this.now);
  }

  get all(): number {
    return this.#said * RECORD_LEN;
  }
}

test('[G-25] system calls that last long because other processes run do not throttle a connection', (t) => {
  const crowd = new Crowd();
  for (let turn = 0; turn < 500; turn++) {
    crowd.talk(2);
    crowd.write(1);
    t.is(crowd.sender.waiting.packets, 0);
    crowd.talk(6);
    crowd.write(5);
  }
  t.is(crowd.counters.dropped, 0);
  t.is(crowd.written, crowd.all);
});

test('[G-25] 50,000 packets a second wait for 140 ms without a drop, and no longer than speech may', (t) => {
  const crowd = new Crowd();
  crowd.talk(2);
  crowd.stall();
  for (let ms = 0; ms < 140; ms += 2) crowd.talk(2);
  t.is(crowd.counters.dropped, 0);
  crowd.write(0);
  t.is(crowd.written, crowd.all);
  t.is(crowd.sender.waiting.packets, 0);
  crowd.talk(2);
  crowd.stall();
  for (let ms = 0; ms < 200; ms += 2) crowd.talk(2);
  t.true(crowd.counters.dropped > 0);
});

test('[G-25] memory of what waited is kept for 10 s, then it goes', (t) => {
  const crowd = new Crowd();
  crowd.talk(2);
  crowd.stall();
  crowd.talk(2);
  crowd.write(0);
  const { sender } = crowd;
  const due = sender.nextTimeout();
  t.is(due, crowd.now + 10_000);
  sender.timeout(due);
  t.is(sender.nextTimeout(), Number.POSITIVE_INFINITY);
});
