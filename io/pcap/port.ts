/**
 * The packet port `pcap`: what comes is in a capture file, what is sent goes to another. Neither has to be
 * there. Time is that of the capture: a packet that is sent gets the time of the one that came last.
 *
 * A record that has not all octets of its packet, or no IP packet, is dropped and counted: who wants
 * those, or the direction that some link types tell, reads the file itself (read.ts).
 */
import { type PacketPort, type PacketReceiver, PortCounts } from '../packet-port.ts';
import type { PacketRecord } from './format.ts';
import { ipOffset, LINK_TYPES, NOT_IP } from './link-types.ts';
import type { Capture } from './read.ts';
import type { CaptureWriter } from './write.ts';

export interface CaptureTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface PcapPortOptions {
  readonly from?: Capture;
  /** Of link type RAW. The port finishes it when it is closed. */
  readonly to?: CaptureWriter;
}

export class PcapPort implements PacketPort {
  readonly counters = new PortCounts();
  /** What a packet that is sent next is written with. */
  time: CaptureTime = { seconds: 0, nanoseconds: 0 };
  readonly #from: Capture | undefined;
  readonly #to: CaptureWriter | undefined;
  #reading: Promise<void> | undefined;
  #isOpen = true;

  constructor({ from, to }: PcapPortOptions) {
    this.#from = from;
    this.#to = to;
  }

  /** Resolves when all of the file has been handed out; `fault` of the capture says why not all was. */
  get finished(): Promise<void> {
    return this.#reading ?? Promise.resolve();
  }

  start(receive: PacketReceiver): void {
    if (this.#reading !== undefined) throw new RangeError('the port was started already');
    this.#reading = this.#read(receive);
  }

  send(b: Uint8Array, at: number, end: number): void {
    if (this.#to === undefined || !this.#isOpen) {
      this.counters.drop('no-interface');
    } else if (ipOffset(LINK_TYPES.RAW, b, at, end) === NOT_IP) {
      this.counters.drop('not-ip');
    } else {
      this.#to.write(this.time.seconds, this.time.nanoseconds, b, at, end);
      this.counters.sent += 1;
    }
  }

  /** The writer collects by itself. */
  flush(): void {}

  /** Throws CaptureWriteError, as `send` does, when the file cannot be written. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#reading;
    this.#to?.finish();
  }

  async #read(receive: PacketReceiver): Promise<void> {
    for await (const batch of this.#from ?? []) {
      for (const record of batch) {
        if (!this.#isOpen) return;
        this.#take(record, receive);
      }
    }
  }

  #take(record: PacketRecord, receive: PacketReceiver): void {
    const { linkType, b, at, end, originalLength } = record;
    const start = ipOffset(linkType, b, at, end);
    if (start === NOT_IP || originalLength > end - at) {
      this.counters.drop('not-ip');
      return;
    }
    this.time = record;
    this.counters.received += 1;
    receive(b, start, end);
  }
}
