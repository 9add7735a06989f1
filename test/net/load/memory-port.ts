/** A packet port without a system behind it: packets are handed in and counted. */
import { type PacketPort, type PacketReceiver, PortCounts } from '../../../io/packet-port.ts';

export class MemoryPort implements PacketPort {
  readonly counters = new PortCounts();
  readonly #arrived: PacketReceiver;
  #receive: PacketReceiver | undefined;

  /** `arrived` gets the packets that come out of the tunnel. */
  constructor(arrived: PacketReceiver) {
    this.#arrived = arrived;
  }

  start(receive: PacketReceiver): void {
    this.#receive = receive;
  }

  /** A packet of the application. */
  give(b: Uint8Array, at: number, end: number): void {
    this.counters.received += 1;
    this.#receive?.(b, at, end);
  }

  send(b: Uint8Array, at: number, end: number): void {
    this.counters.sent += 1;
    this.#arrived(b, at, end);
  }

  flush(): void {}

  async close(): Promise<void> {}
}
