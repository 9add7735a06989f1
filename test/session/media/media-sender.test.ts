/** What goes straight on, what waits, and what goes past what waits (G-25). */
import test from 'ava';
import { ClientConnection } from '../../../session/client-connection.ts';
import { Connections } from '../../../session/connections.ts';
import { Counters } from '../../../session/counters.ts';
import { MediaFlow } from '../../../session/media/media-flow.ts';
import { MediaSender } from '../../../session/media/media-sender.ts';
import { writeUdpPacket } from '../../../wire/build.ts';
import { setU32 } from '../../../wire/bytes.ts';
import { PacketView, readPacket } from '../../../wire/packet.ts';
import { endpoint } from '../direct.ts';

const VIDEO_TYPE = 34;
const AUDIO_TYPE = 0;
const RTT_MS = 40;

class Scene {
  now = 1_000;
  readonly connection = new ClientConnection(0, 0, {}, { mechanism: 'none' }, this.now);
  readonly sender: MediaSender<ClientConnection>;
  readonly #connections: Connections<ClientConnection, never>;
  readonly #flow = new MediaFlow();
  readonly #view = new PacketView();

  constructor() {
    const counters = new Counters();
    this.#connections = new Connections<ClientConnection, never>({
      counters,
      random: (n) => new Uint8Array(n),
      gone: () => {},
      fill: (c, now) => this.sender.fill(c, now),
      learnt: (c, now) => this.sender.learnt(c, now),
    });
    this.connection.enter('ready', this.now);
    this.#connections.add(this.connection);
    const ready = [this.connection];
    this.sender = new MediaSender({ connections: this.#connections, ready, counters });
    this.told(0);
  }

  send(payloadType: number, length: number, timestamp: number): void {
    const payload = new Uint8Array(length);
    payload[0] = 0x80;
    payload[1] = payloadType;
    setU32(payload, 4, timestamp);
    const b = new Uint8Array(length + 28);
    const from = endpoint('10.0.0.2:4000');
    const end = writeUdpPacket(b, 0, from, endpoint('192.0.2.9:30000'), payload, 0, length);
    readPacket(this.#view, b, 0, end);
    this.sender.send(this.#flow, b, this.#view, this.now);
    this.written();
  }

  /** The system takes all at once. */
  written(): void {
    const octets = this.#connections.pending(0, this.now);
    if (octets.length > 0) this.#connections.wrote(0, octets.length, this.now);
  }

  told(outstanding: number): void {
    this.#connections.carrier(0, { outstanding, isTroubled: false, rttMs: RTT_MS }, this.now);
    this.written();
  }
}

test('[G-25] video beyond the budget waits, audio goes past it, and video when there is room', (t) => {
  const scene = new Scene();
  for (let i = 0; i < 20; i++) scene.send(VIDEO_TYPE, 1_200, 90);
  const { waiting } = scene.sender;
  t.true(waiting.packets > 0);
  const before = scene.connection.carrier.outstanding;
  t.true(before <= 16_384, `${before}`);
  scene.send(AUDIO_TYPE, 172, 160);
  t.is(scene.sender.waiting.packets, waiting.packets);
  t.is(scene.connection.carrier.outstanding, before + 172 + 28);
  scene.now += RTT_MS;
  scene.told(0);
  t.is(scene.sender.waiting.packets, 0);
});

test('[G-25] audio waits behind audio', (t) => {
  const scene = new Scene();
  scene.connection.carrier.began(scene.now);
  scene.send(AUDIO_TYPE, 172, 160);
  t.is(scene.sender.waiting.packets, 1);
  scene.connection.carrier.took(0, true, scene.now);
  scene.send(AUDIO_TYPE, 172, 320);
  t.is(scene.sender.waiting.packets, 0);
  t.is(scene.connection.carrier.outstanding, 2 * (172 + 28));
});
