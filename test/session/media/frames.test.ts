/** Which packets are pieces of one video frame, for a sender whose connection takes nothing. */
import test from 'ava';
import { ClientConnection } from '../../../session/client-connection.ts';
import { Connections } from '../../../session/connections.ts';
import { Counters } from '../../../session/counters.ts';
import { MediaFlow } from '../../../session/media/media-flow.ts';
import { MediaSender } from '../../../session/media/media-sender.ts';
import { writeUdpPacket } from '../../../wire/build.ts';
import { setU32 } from '../../../wire/bytes.ts';
import { FAULTS, type Fault } from '../../../wire/faults.ts';
import { PacketView, readPacket } from '../../../wire/packet.ts';
import { endpoint } from '../direct.ts';

const LENGTH = 1_200;
const H263 = 34;
const FROM = endpoint('10.0.0.2:4000');
const TO = endpoint('192.0.2.9:30000');

class Jammed {
  now = 1_000;
  readonly #flow = new MediaFlow();
  readonly #sender: MediaSender<ClientConnection>;
  readonly #view = new PacketView();

  constructor() {
    const counters = new Counters();
    const connections = new Connections<ClientConnection, never>({
      counters,
      random: (n) => new Uint8Array(n),
      gone: () => {},
      fill: () => {},
      learnt: () => {},
    });
    const c = new ClientConnection(0, 0, {}, { mechanism: 'none' }, this.now);
    c.enter('ready', this.now);
    connections.add(c);
    c.carrier.began(this.now);
    this.#sender = new MediaSender({ connections, ready: [c], counters });
  }

  send(source: number, timestamp: number): 0 | Fault {
    const payload = new Uint8Array(LENGTH);
    payload[0] = 0x80;
    payload[1] = H263;
    setU32(payload, 4, timestamp);
    setU32(payload, 8, source);
    const b = new Uint8Array(LENGTH + 28);
    readPacket(this.#view, b, 0, writeUdpPacket(b, 0, FROM, TO, payload, 0, LENGTH));
    return this.#sender.send(this.#flow, b, this.#view, this.now);
  }

  /** Until all that waits is too old. */
  wait(): void {
    this.now += 300;
    this.#sender.timeout(this.now);
  }
}

test('[G-25] the rest of a dropped frame is dropped, by source and timestamp', (t) => {
  const jammed = new Jammed();
  t.is(jammed.send(1, 90), 0);
  jammed.wait();
  t.is(jammed.send(1, 90), FAULTS.MEDIA_FRAME);
  t.is(jammed.send(1, 180), 0);
});

test('[G-25] what is sent again on a source of its own to mend the frame goes (RFC 4588)', (t) => {
  const jammed = new Jammed();
  t.is(jammed.send(1, 90), 0);
  jammed.wait();
  t.is(jammed.send(2, 90), 0);
});
